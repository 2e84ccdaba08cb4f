"""The page that hands out a closed request's certificate; it names no person, so any caller may read it."""

from typing import Final, Protocol
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response

from services.deadline.ports import Addenda, Certificates
from shared.described_problems import UNREADABLE

JOSE: Final = "application/jose"


class Records(Certificates, Addenda, Protocol):
    """What is signed of a closed request."""


def certificate_routes(certificates: Records) -> APIRouter:
    """`GET /certificates/{request_id}`: the JWS as one line of text; `.../addenda`: what was found since."""
    router = APIRouter(tags=["certificates"])

    @router.get(
        "/certificates/{request_id}",
        response_class=Response,
        responses={
            200: {"content": {JOSE: {}}},
            404: {"description": "Not closed, or not yet signed."},
            **UNREADABLE,
        },
    )
    async def certificate(request_id: UUID) -> Response:
        """Give the signed certificate of a closed request; check it with `habeas evidence verify`."""
        found = await certificates.find(request_id)
        if found is None:
            return _not_found()
        headers = {"Habeas-Evidence-Digest": found.payload_sha256}
        return Response(found.jws, media_type=JOSE, headers=headers)

    @router.get("/certificates/{request_id}/addenda", responses=UNREADABLE)
    async def addenda(request_id: UUID) -> dict[str, list[str]]:
        """Give what was found after the closing, a JWS each; check them with `habeas evidence addenda`."""
        return {"addenda": [one.jws for one in await certificates.addenda_of(request_id)]}

    return router


def _not_found() -> Response:
    problem = {
        "type": "about:blank",
        "title": "There is no certificate for this request",
        "status": 404,
        "detail": "A certificate is signed when the request is closed; ask again later, or check the id.",
    }
    return JSONResponse(problem, status_code=404, media_type="application/problem+json")
