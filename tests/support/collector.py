"""A collector of spans that keeps whatever it is sent, byte for byte."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

PATH = "/v1/traces"


def collector(kept: list[bytes]) -> Starlette:
    """Takes spans by OTLP over HTTP; their texts stand in the bytes as they are."""

    async def take(request: Request) -> Response:
        kept.append(await request.body())
        return Response(media_type="application/x-protobuf")

    return Starlette(routes=[Route(PATH, take, methods=["POST"])])


def exporting_to(address: str) -> dict[str, str]:
    """What a service is told, so that it sends its spans there while a test can still wait for them."""
    return {"HABEAS_OTLP_ENDPOINT": address + PATH, "OTEL_BSP_SCHEDULE_DELAY": "250"}
