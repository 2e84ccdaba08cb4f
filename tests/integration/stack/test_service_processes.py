"""Services that were told to end are awaited, not missed; one that ends by itself is told of."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.demo.processes import ServiceFailed, Services
from deploy.local.processes import birth
from shared.events.topics import SERVICES
from tests.support.eventually import eventually

# A stand-in that says it is ready: only how processes are looked after is meant here, and it starts in no time.
READY = """
import os, sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
class Page(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
server = HTTPServer(("127.0.0.1", 0), Page)
address = Path(os.environ["HABEAS_HOME"], "run", sys.argv[1] + ".url")
address.with_suffix(".new").write_text(f"http://127.0.0.1:{server.server_port}")
address.with_suffix(".new").rename(address)
server.serve_forever()
"""


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    (tmp_path / "run").mkdir()
    found = Services(tmp_path, {"HABEAS_HOME": str(tmp_path)}, ("-c", READY))
    found.start()
    yield found
    found.stop()


def _is_gone(pid: int) -> bool:
    return birth(pid) is None


def test_another_service_starts_while_one_that_was_told_to_end_has_ended(services: Services) -> None:
    ending = services.pid("deadline")
    services.tell_to_end("deadline")
    eventually(lambda: _is_gone(ending))

    services.kill("intake")
    services.start("intake")

    assert services.missing == ("deadline",)


def test_a_service_that_ended_by_itself_is_told_of(services: Services) -> None:
    pid = services.pid("verification")
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: _is_gone(pid))

    with pytest.raises(ServiceFailed, match="verification ended with code -9"):
        services.check()


def test_a_service_that_was_told_to_end_and_started_again_is_missed_again(services: Services) -> None:
    services.tell_to_end("deadline")
    services.kill("deadline")
    services.start("deadline")
    pid = services.pid("deadline")
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: _is_gone(pid))

    with pytest.raises(ServiceFailed, match="deadline"):
        services.check()


def test_whatever_was_left_down_is_started_again(services: Services) -> None:
    kept, dead = services.pid("intake"), services.pid("verification")
    services.tell_to_end("deadline")
    services.kill("fulfillment")
    os.kill(dead, signal.SIGKILL)
    eventually(lambda: _is_gone(dead))

    services.revive()

    assert services.missing == ()
    services.check()
    assert services.pid("intake") == kept
    assert not any(_is_gone(services.pid(name)) for name in SERVICES)
