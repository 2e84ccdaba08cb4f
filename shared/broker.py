"""How a client reaches Kafka: where, by which protection, and as whom."""

import asyncio
import ssl
from collections.abc import Awaitable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiokafka.conn import create_conn
from aiokafka.errors import AuthenticationFailedError, KafkaError, SaslAuthenticationFailed
from faststream.security import BaseSecurity, SASLPlaintext, SASLScram256, SASLScram512

from shared.database import NeedsMending
from shared.private_files import KeyFileRefused, read_private
from shared.settings import Settings

ADMIN, CLI = "admin", "cli"
KNOCK_MS = 5000
CLOSE_SECONDS = 3.0
_SCHEMES: dict[str, type[SASLPlaintext | SASLScram256 | SASLScram512]] = {
    "PLAIN": SASLPlaintext,
    "SCRAM-SHA-256": SASLScram256,
    "SCRAM-SHA-512": SASLScram512,
}


@dataclass(frozen=True, slots=True)
class Login:
    """A principal at the broker, and the word that proves it."""

    user: str
    password: str = field(repr=False)
    kept_in: Path


@dataclass(frozen=True, slots=True)
class Broker:
    """One principal's way to Kafka."""

    bootstrap: str
    trust: ssl.SSLContext | None = None
    mechanism: str = ""
    login: Login | None = None

    def client(self) -> dict[str, Any]:
        """What a client of aiokafka is given."""
        given: dict[str, Any] = {"bootstrap_servers": self.bootstrap}
        if self.trust is not None:
            given |= {"security_protocol": "SASL_SSL" if self.login else "SSL", "ssl_context": self.trust}
        if self.login is not None:
            given |= {
                "sasl_mechanism": self.mechanism,
                "sasl_plain_username": self.login.user,
                "sasl_plain_password": self.login.password,
            }
        return given

    def security(self) -> BaseSecurity | None:
        """The same for FastStream."""
        if self.login is not None:
            scheme = _SCHEMES[self.mechanism]
            return scheme(self.login.user, self.login.password, ssl_context=self.trust, use_ssl=True)
        return BaseSecurity(ssl_context=self.trust, use_ssl=True) if self.trust is not None else None


def broker_of(settings: Settings, principal: str) -> Broker:
    """The way that `principal` (a service, `cli` or `admin`) takes.

    Raises:
        KeyFileRefused: its login, or the file of authorities, is missing, open to others, or not of its form.
    """
    if settings.kafka_security == "none":
        return Broker(settings.kafka_bootstrap)
    login = _login(settings, principal) if settings.kafka_security == "sasl" else None
    return Broker(settings.kafka_bootstrap, _trust(settings), settings.kafka_mechanism, login)


async def let_go(closing: Awaitable[None]) -> None:
    """Close a client within a deadline: over TLS, a connection's own close may wait half a minute for its end."""
    with suppress(TimeoutError):
        async with asyncio.timeout(CLOSE_SECONDS):
            await closing


async def why_away(broker: Broker) -> ConnectionError:
    """What keeps a client out, to be raised in the place of aiokafka's own error, which names no cause.

    A broker that is there and refuses needs a person: the sentence says what to mend.
    """
    try:
        await _knock(broker)
    except KafkaError as error:
        if isinstance(error, AuthenticationFailedError | SaslAuthenticationFailed) and broker.login:
            return NeedsMending(
                f"Kafka refuses the login of {broker.login.user}: correct {broker.login.kept_in}, then restart"
            )
    except ssl.SSLError:
        return NeedsMending(
            "Kafka's certificate is not trusted: name who signed it with HABEAS_KAFKA_AUTHORITY, then restart"
        )
    except (OSError, TimeoutError):
        pass
    return ConnectionError("the broker is away")


async def _knock(broker: Broker) -> None:
    """Open one connection to the first address and close it."""
    host, _, port = broker.bootstrap.split(",")[0].rpartition(":")
    given = broker.client()
    del given["bootstrap_servers"]
    connection = await create_conn(host, int(port), request_timeout_ms=KNOCK_MS, **given)
    connection.close()


def _trust(settings: Settings) -> ssl.SSLContext:
    """Certificates are always checked, names too."""
    authority = settings.kafka_authority
    try:
        return ssl.create_default_context(cafile=authority)
    except (OSError, ssl.SSLError):
        raise KeyFileRefused(
            f"{authority} is no PEM file with certificates that can be read; HABEAS_KAFKA_AUTHORITY names the one "
            "of who signed Kafka's"
        ) from None


def _login(settings: Settings, principal: str) -> Login:
    path = settings.kafka_login_file(principal)
    made_by = f"put user:password into it, for the principal {principal}, readable by this account alone"
    user, colon, password = read_private(path, made_by=made_by).decode().strip().partition(":")
    if not (user and colon and password):
        raise KeyFileRefused(f"{path} does not hold user:password in one line")
    return Login(user, password, path)
