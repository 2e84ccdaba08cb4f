"""How we show who we are: secrets are read anew at every use, tokens live in memory alone, nothing is logged."""

import asyncio
import base64
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from services.fulfillment.adapters.http.connector import (
    ApiKeyAuth,
    Auth,
    BasicAuth,
    BearerAuth,
    ClientCredentials,
)
from services.fulfillment.adapters.http.failures import Failure
from services.fulfillment.adapters.http.requests import Outbound
from services.fulfillment.datamap.systems import Secret, SecretMissingError
from shared.private_files import KeyFileRefused, read_private

SOONER_SECONDS = 60.0
"""A token is asked for anew this long before it ends, so that none ends under way."""


class Shows(Protocol):
    """Adds to a request what the system wants to see."""

    async def show(self, request: Outbound) -> None:
        """Add it."""
        ...

    def forget(self, request: Outbound | None = None) -> bool:
        """Drop the token that was refused with this request, or any; whether another try may show a better one."""
        ...


class Secrets:
    """The system file's secrets by name."""

    def __init__(self, places: Mapping[str, Secret]) -> None:
        self._places = places

    def read(self, name: str) -> str:
        """Read one.

        Raises:
            SecretMissingError: its file or variable is not there, or the file is open to others.
        """
        place = self._places.get(name)
        if place is None:
            raise SecretMissingError(f"the system file names no secret {name!r}")
        if place.file is None:
            return place.read()
        if not place.file.exists():
            return place.read()
        try:
            return read_private(place.file).decode().strip()
        except KeyFileRefused as refused:
            raise SecretMissingError(str(refused)) from None


class _Plain:
    """Everything that is shown as it is kept."""

    def __init__(self, auth: Auth, secrets: Secrets) -> None:
        self._auth = auth
        self._secrets = secrets

    async def show(self, request: Outbound) -> None:
        match self._auth:
            case BearerAuth(secret=name):
                request.headers["Authorization"] = f"Bearer {self._secrets.read(name)}"
            case ApiKeyAuth(secret=name, header=header, query=query):
                _put(request, header, query, self._secrets.read(name))
            case BasicAuth(user=user, user_secret=user_secret, password_secret=password):
                who = user or self._secrets.read(user_secret or "")
                request.headers["Authorization"] = _basic(who, self._secrets.read(password))

    def forget(self, request: Outbound | None = None) -> bool:
        return False


class _Tokens:
    """OAuth 2.0 client credentials: one token at a time, asked for by one call at a time."""

    def __init__(
        self, auth: ClientCredentials, secrets: Secrets, ask: Callable[[Outbound], Awaitable[Any]]
    ) -> None:
        self._auth = auth
        self._secrets = secrets
        self._ask = ask
        self._lock = asyncio.Lock()
        self._token = ""
        self._until = 0.0

    async def show(self, request: Outbound) -> None:
        async with self._lock:
            now = asyncio.get_running_loop().time()
            if not self._token or now >= self._until:
                await self._renew(now)
            request.headers["Authorization"] = f"Bearer {self._token}"

    def forget(self, request: Outbound | None = None) -> bool:
        # Another call may have replaced it already: then the new one is what to show, not to drop.
        if request is None or request.headers.get("Authorization") == f"Bearer {self._token}":
            self._token = ""
        return True

    async def _renew(self, now: float) -> None:
        client_id = self._secrets.read(self._auth.client_id_secret)
        secret = self._secrets.read(self._auth.client_secret_secret)
        form: dict[str, Any] = {"grant_type": "client_credentials"}
        form |= {"scope": self._auth.scope} if self._auth.scope else {}
        headers = {"Authorization": _basic(client_id, secret)} if self._auth.sent_in == "basic" else {}
        if self._auth.sent_in == "body":
            form |= {"client_id": client_id, "client_secret": secret}
        given = await self._ask(Outbound("POST", self._auth.token_path, {}, headers, form=form))
        token = given.get("access_token") if isinstance(given, Mapping) else None
        if not isinstance(token, str) or not token:
            raise Failure("credentials", "auth: the answer holds no access_token: look at url and settings")
        self._token, self._until = token, now + self._lifetime(given) - SOONER_SECONDS

    def _lifetime(self, given: Mapping[str, Any]) -> float:
        """`expires_in` is only recommended (RFC 6749, 5.1), and some vendors leave it out."""
        try:
            return float(given.get("expires_in") or self._auth.lifetime_seconds)
        except (TypeError, ValueError):
            return self._auth.lifetime_seconds


def shows(auth: Auth, secrets: Secrets, ask: Callable[[Outbound], Awaitable[Any]]) -> Shows:
    """The way that the connector asks for; `ask` fetches a token and gives the answer's JSON."""
    return _Tokens(auth, secrets, ask) if isinstance(auth, ClientCredentials) else _Plain(auth, secrets)


def _put(request: Outbound, header: str | None, query: str | None, value: str) -> None:
    if header:
        request.headers[header] = value
    if query:
        request.query[query] = value


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
