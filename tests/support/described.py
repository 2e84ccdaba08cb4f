"""A vendor's own OpenAPI description, and whether what is sent, answered and read is as it says.

openapi-core judges addresses, parameters, bodies and types; a description that allows more than it names would let a
misspelt name pass, so names are looked up by themselves.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import yaml
from jsonschema_path import SchemaPath
from openapi_core import V30RequestValidator, V30ResponseValidator
from openapi_core.exceptions import OpenAPIError
from openapi_core.testing import MockRequest, MockResponse

Schema = Mapping[str, Any]


class Description:
    """One description, read."""

    def __init__(self, file: Path) -> None:
        # The safe loader, written in C: the description has twenty thousand lines.
        self.said: Mapping[str, Any] = yaml.load(file.read_bytes(), Loader=yaml.CSafeLoader)
        # A description that refers to nowhere elsewhere is believed where it does not.
        spec = SchemaPath.from_dict({**self.said})
        self._request, self._response = V30RequestValidator(spec), V30ResponseValidator(spec)

    @property
    def version(self) -> str:
        return str(self.said["info"]["version"])

    def wrong(self, request: MockRequest, response: MockResponse) -> list[str]:
        """What it does not allow of one exchange."""
        found = []
        for judge in (
            partial(self._request.validate, request),
            partial(self._response.validate, request, response),
        ):
            try:
                judge()
            except OpenAPIError as error:
                found.append(f"{request.method} {request.path} {response.status_code}: {error}")
        return found

    def asked(self, method: str, path: str) -> Schema:
        """What the body of a request may hold."""
        return self._body(self.said["paths"][path][method.lower()]["requestBody"])

    def answered(self, method: str, path: str) -> Schema:
        """What an answer that is well may hold."""
        return self._body(self.said["paths"][path][method.lower()]["responses"]["200"])

    def names(self, schema: Schema, steps: Sequence[str]) -> bool:
        """Whether a schema names this path, or leaves what comes there to whoever uses it."""
        own = self._resolved(schema)
        if own.get("type") == "array":
            return self.names(own["items"], steps)
        parts = [part for word in ("allOf", "oneOf", "anyOf") for part in own.get(word, ())]
        if not steps or any(self.names(part, steps) for part in parts):
            return True
        properties = own.get("properties")
        if properties is None:
            return not parts and own.get("type") == "object"
        return steps[0] in properties and self.names(properties[steps[0]], steps[1:])

    def _body(self, holder: Schema) -> Schema:
        return dict(self._resolved(holder)["content"]["application/json"]["schema"])

    def _resolved(self, schema: Schema) -> Schema:
        while "$ref" in schema:
            where: Any = self.said
            for step in schema["$ref"].removeprefix("#/").split("/"):
                where = where[step]
            schema = where
        return schema


@dataclass
class Overheard(httpx2.AsyncBaseTransport):
    """Passes everything on, and keeps what was said on both sides."""

    through: httpx2.AsyncBaseTransport
    base_url: str
    heard: list[tuple[MockRequest, MockResponse]] = field(default_factory=list)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Ask, and write down."""
        response = await self.through.handle_async_request(request)
        content = await response.aread()
        asked = MockRequest(
            self.base_url,
            request.method.lower(),
            request.url.path,
            args=dict(request.url.params),
            headers=dict(request.headers),
            data=request.content,
            content_type=request.headers.get("content-type", "application/json"),
        )
        kind = response.headers.get("content-type", "")
        self.heard.append((asked, MockResponse(content, status_code=response.status_code, content_type=kind)))
        return httpx2.Response(response.status_code, headers=response.headers, content=content)

    async def aclose(self) -> None:
        """Let go of the connections."""
        await self.through.aclose()


def leaves(body: Any, steps: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The paths of every value in a body."""
    if isinstance(body, Mapping):
        for name, value in body.items():
            yield from leaves(value, (*steps, name))
    else:
        yield steps


def body_of(request: MockRequest) -> Any:
    """What was sent, as JSON."""
    return json.loads(request.body or b"null")
