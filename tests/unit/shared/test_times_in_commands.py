"""Commands tell people every time to the second, in UTC, however it came to them."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from typer.testing import CliRunner

from deploy.cli.main import app
from deploy.cli.moments import moment
from deploy.cli.package_views import show as show_package
from deploy.cli.request_views import show_receipt, show_status
from services.fulfillment.answer.checking import Checked, Manifest

REQUEST = "7de025f4-a629-458b-8b68-bf6344ef7257"
PACIFIC = "2026-02-02T11:00:00.123456-08:00"
IN_UTC = "2026-02-02 19:00:00 UTC"
TOLD = {"request_id": REQUEST, "right": "delete", "received_at": PACIFIC, "secret": "1.s3cret"}
HOLD = {
    "hold_id": "0199c0de-7000-7000-8000-000000000002",
    "business": "cascadia",
    "scope": "system",
    "name": "cascadia-dms",
    "actor": "legal",
    "reason": "litigation 24-118",
    "evidence": "LEGAL-9",
    "placed_at": PACIFIC,
    "released_at": "2026-02-02T19:00:00.000001Z",
    "released_by": "legal",
}


@pytest.mark.parametrize("text", [PACIFIC, "2026-02-02T19:00:00Z", "2026-02-02T19:00:00.5+00:00"])
def test_a_time_that_came_as_text_is_told_in_utc(text: str) -> None:
    assert moment(text) == IN_UTC


def test_a_receipt_and_a_status_tell_their_times_in_utc(capsys: pytest.CaptureFixture[str]) -> None:
    notice = {"kind": "acknowledgement", "state": "sent", "handed_over_at": PACIFIC}

    show_receipt(TOLD, saved=None, as_json=False)
    show_status({**TOLD, "state": "open", "resolution": None, "notices": [notice]}, as_json=False)

    told = capsys.readouterr().out
    assert f"delete, received {IN_UTC}\n" in told
    assert f"sent {IN_UTC}\n" in told


def test_a_program_gets_the_time_as_it_stands(capsys: pytest.CaptureFixture[str]) -> None:
    show_receipt(TOLD, saved=None, as_json=True)

    assert json.loads(capsys.readouterr().out)["received_at"] == PACIFIC


def test_an_answers_time_is_told_in_utc(capsys: pytest.CaptureFixture[str]) -> None:
    signed = Manifest(format="habeas-answer/1", request_id=REQUEST, composed_at=PACIFIC, files={})

    show_package(Checked(signed), as_json=False)

    assert f"of {IN_UTC}." in capsys.readouterr().out


class _Holds(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = json.dumps({"holds": [HOLD]}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def fulfillment() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), _Holds) as server:
        answering = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        answering.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        answering.join()


def test_a_list_of_holds_tells_since_when_and_until_when_in_utc(fulfillment: str) -> None:
    shown = CliRunner().invoke(app, ["holds", "list", "--released", "--url", fulfillment])

    what = f"{HOLD['hold_id']}  cascadia  system cascadia-dms"
    assert shown.stdout.splitlines() == [
        f"{what}  since {IN_UTC} by legal, released {IN_UTC} by legal",
        "  litigation 24-118 (LEGAL-9)",
    ]
