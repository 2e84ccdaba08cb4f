"""The page that any system may ask before it takes somebody in or sends to them: are these hashes suppressed?

It is asked with keyed hashes only, so neither question nor answer names a person.
"""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from pydantic_core import to_json

from services.fulfillment.suppression import SuppressionRegister
from shared.bounded_body import BodyRefused, bounded_body

MOST_HASHES: Final = 10_000
MOST_BYTES: Final = 1_500_000
Hash = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,4}:[0-9a-f]{64}$")]
DOCUMENTED: Final[dict[int | str, dict[str, Any]]] = {
    413: {"description": f"More than {MOST_BYTES} bytes."},
    422: {"description": f"Not 1 to {MOST_HASHES} hashes of the form `<key version>:<64 hex digits>`."},
}


class Asked(BaseModel):
    """The hashes to look up; `habeas suppression hash` makes them."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    hashes: Annotated[list[Hash], Field(min_length=1, max_length=MOST_HASHES)]


def suppression_routes(register: SuppressionRegister) -> APIRouter:
    """`POST /suppression/check`, `GET /suppression/versions`."""
    router = APIRouter(tags=["suppression"])

    @router.post(
        "/suppression/check",
        response_class=Response,
        responses=DOCUMENTED,
        openapi_extra={
            "requestBody": {"content": {"application/json": {"schema": Asked.model_json_schema()}}}
        },
    )
    async def check(request: Request) -> Response:
        """The rights that hold of each suppressed hash: `delete` must stay deleted, `opt_out`, `limit`, `opt_out_admt`.

        `ask_again_from` names the first day on which whoever has a hash may be asked to opt in again.
        """
        try:
            content = await bounded_body(request, most=MOST_BYTES)
        except BodyRefused as refused:
            return _problem(refused.status, refused.code, refused.detail)
        return await _checked(register, content)

    @router.get("/suppression/versions")
    async def versions() -> dict[str, list[str]]:
        """The versions of the lookup key under which somebody is suppressed: hash under each of them."""
        return {"versions": await register.versions()}

    return router


async def _checked(register: SuppressionRegister, content: bytes) -> Response:
    asked = _asked(content)
    if asked is None:
        return _problem(
            422, "hashes_malformed", 'send {"hashes": [...]} as habeas suppression hash makes them'
        )
    found = await register.check(asked.hashes)
    # Half a megabyte at most: pydantic writes it in a tenth of the time.
    said = {"suppressed": found.rights, "ask_again_from": found.ask_again_from}
    return Response(to_json(said), media_type="application/json")


def _asked(content: bytes) -> Asked | None:
    """Nothing of what was sent is repeated: somebody may send addresses where hashes belong."""
    try:
        return Asked.model_validate_json(content)
    except ValidationError:
        return None


def _problem(status: int, code: str, detail: str) -> Response:
    title = code.replace("_", " ").capitalize()
    problem = {"type": f"urn:habeas:problem:{code}", "title": title, "status": status, "detail": detail}
    return JSONResponse(problem, status_code=status, media_type="application/problem+json")
