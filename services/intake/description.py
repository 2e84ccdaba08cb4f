"""The OpenAPI description: the framework's own, with every error as the problem that it is."""

from itertools import chain
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from services.intake.problems import MEDIA_TYPE, ProblemBody

_PROBLEM = {MEDIA_TYPE: {"schema": {"$ref": f"#/components/schemas/{ProblemBody.__name__}"}}}
_REPLACED = ("HTTPValidationError", "ValidationError")
_FIRST_ERROR = 400
_REQUEST = "{request_id}"


def describe(app: FastAPI) -> None:
    """Have the application describe itself, once it is asked."""

    def described() -> dict[str, Any]:
        if app.openapi_schema is None:
            found = get_openapi(title=app.title, version=app.version, routes=app.routes)
            app.openapi_schema = _with_links(_with_problems(found))
        return app.openapi_schema

    # The framework's documented way to change a description.
    app.openapi = described  # type: ignore[method-assign]


def _with_problems(description: dict[str, Any]) -> dict[str, Any]:
    schemas = description.setdefault("components", {}).setdefault("schemas", {})
    for operation in chain.from_iterable(each.values() for each in description["paths"].values()):
        for status, response in operation["responses"].items():
            if int(status) >= _FIRST_ERROR:
                response["content"] = _PROBLEM
        schemas |= _parts_of(operation.get("requestBody", {}))
    for name in _REPLACED:
        schemas.pop(name, None)
    return description


def _with_links(description: dict[str, Any]) -> dict[str, Any]:
    """Say what a receipt leads to: all that can be asked about the request that it names."""
    paths = description["paths"]
    about = [one for path, each in paths.items() if _REQUEST in path for one in each.values()]
    paths["/requests"]["post"]["responses"]["201"]["links"] = {
        one["operationId"]: {
            "operationId": one["operationId"],
            "description": one["summary"],
            "parameters": {"request_id": "$response.body#/request_id"},
        }
        for one in about
    }
    return description


def _parts_of(body: dict[str, Any]) -> dict[str, Any]:
    """What a body's own schema defines beside it: components are where its references point to."""
    parts: dict[str, Any] = {}
    for kind in body.get("content", {}).values():
        parts |= kind["schema"].pop("$defs", {})
    return parts
