"""`habeas request`: identities and secrets come by file, answers are printed for people or programs."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import pytest
from typer.testing import CliRunner, Result

from deploy.cli import requests, requests_over_http
from deploy.cli.request_views import show_list

RECEIPT: dict[str, Any] = {
    "request_id": "7de025f4-a629-458b-8b68-bf6344ef7257",
    "secret": "1.s3cret",
    "right": "delete",
    "received_at": "2026-02-02T19:00:00Z",
    "acknowledge_by": "2026-02-13",
    "respond_by": "2026-03-19",
    "effective_by": None,
    "links": {},
}
STATUS: dict[str, Any] = {
    **{name: RECEIPT[name] for name in RECEIPT if name != "secret"},
    "state": "received",
    "business": "cascadia",
    "resolution": None,
    "notices": [{"kind": "acknowledgement", "state": "planned", "handed_over_at": None}],
}
HERE = f"/requests/{RECEIPT['request_id']}"


class Pretended:
    """Intake over HTTP, answering as the test says and remembering what it was asked."""

    def __init__(self) -> None:
        self.asked: list[httpx2.Request] = []
        self.answer: Callable[[], httpx2.Response] = lambda: httpx2.Response(201, json=RECEIPT)

    def client(self, url: str) -> httpx2.Client:
        return httpx2.Client(base_url=url, transport=httpx2.MockTransport(self._handle))

    def _handle(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(request)
        return self.answer()


@pytest.fixture
def intake(monkeypatch: pytest.MonkeyPatch) -> Pretended:
    made = Pretended()
    monkeypatch.setattr(requests_over_http, "new_client", made.client)
    return made


def run(*arguments: str, given: str | None = None) -> Result:
    return CliRunner().invoke(requests.app, [*arguments, "--url", "http://intake.test"], input=given)


def test_an_address_in_a_file_becomes_a_request_and_its_receipt_is_saved_privately(
    intake: Pretended, tmp_path: Path
) -> None:
    address, receipt = tmp_path / "email.txt", tmp_path / "receipt.json"
    address.write_text("ada@example.com\n")

    result = run("submit", "--right", "delete", "--email-file", str(address), "--save", str(receipt))

    assert result.exit_code == 0
    assert json.loads(intake.asked[0].content) == {
        "right": "delete",
        "residency": "US-CA",
        "channel": "web",
        "email": "ada@example.com",
    }
    assert json.loads(receipt.read_text())["secret"] == "1.s3cret"
    assert receipt.stat().st_mode & 0o777 == 0o600
    assert "1.s3cret" not in result.output
    assert "2026-03-19" in result.output


def test_claims_come_by_standard_input_and_the_key_is_passed_on(intake: Pretended) -> None:
    given = json.dumps({"email": "ada@example.com", "customer_id": "C-1042"})

    result = run(
        "submit", "--right", "know", "--claims", "-", "--idempotency-key", "k" * 16, "--json", given=given
    )

    assert json.loads(result.stdout) == RECEIPT
    assert intake.asked[0].headers["idempotency-key"] == "k" * 16
    assert json.loads(intake.asked[0].content)["customer_id"] == "C-1042"


def test_no_option_takes_an_identity() -> None:
    result = CliRunner().invoke(requests.app, ["submit", "--email", "ada@example.com", "--right", "delete"])

    assert result.exit_code == 2
    assert "No such option" in result.stderr


@pytest.mark.parametrize(
    ("command", "method", "path"), [("show", "GET", HERE), ("withdraw", "POST", f"{HERE}/withdrawal")]
)
def test_a_saved_receipt_opens_its_request(
    intake: Pretended, tmp_path: Path, command: str, method: str, path: str
) -> None:
    receipt = tmp_path / "receipt.json"
    receipt.write_text(json.dumps(RECEIPT))
    intake.answer = lambda: httpx2.Response(200, json=STATUS)

    result = run(command, "--saved", str(receipt))

    [asked] = intake.asked
    assert (asked.method, asked.url.path) == (method, path)
    assert asked.headers["authorization"] == "Bearer 1.s3cret"
    assert "received" in result.output
    assert "acknowledgement" in result.output


def test_a_status_tells_who_asks_and_the_date_after_an_extension(intake: Pretended, tmp_path: Path) -> None:
    receipt = tmp_path / "receipt.json"
    receipt.write_text(json.dumps(RECEIPT))
    moved = {"respond_by": "2026-03-19", "answer_by": "2026-05-04", "extended": True}
    proved = {**STATUS, **moved, "verification": "verified", "links": {}}
    waiting = {**STATUS, "verification": None, "links": {"verification": f"{HERE}/verification"}}
    told = []
    for status in (proved, waiting):
        intake.answer = partial(httpx2.Response, 200, json=status)
        told.append(run("show", "--saved", str(receipt)).output)

    assert "answered by        2026-05-04\n  extended " in told[0]
    assert "2026-03-19" not in told[0]
    assert "who asks           proved\n" in told[0]
    assert "who asks           not proved yet: habeas request prove\n" in told[1]
    assert "extended" not in told[1]


def test_the_code_from_the_mail_comes_by_file_and_proves_who_asks(intake: Pretended, tmp_path: Path) -> None:
    receipt = tmp_path / "receipt.json"
    receipt.write_text(json.dumps(RECEIPT))
    intake.answer = lambda: httpx2.Response(202, json=STATUS)

    result = run("prove", "--saved", str(receipt), "--code-file", "-", given="61960430\n")

    [asked] = intake.asked
    assert (asked.method, asked.url.path) == ("POST", f"{HERE}/verification")
    assert json.loads(asked.content) == {"code": "61960430"}
    assert f"shows: habeas request show --saved {receipt}" in result.output
    assert asked.headers["authorization"] == "Bearer 1.s3cret"
    assert "61960430" not in result.output


def test_without_a_terminal_nobody_is_asked_for_a_code(intake: Pretended, tmp_path: Path) -> None:
    receipt = tmp_path / "receipt.json"
    receipt.write_text(json.dumps(RECEIPT))

    result = run("prove", "--saved", str(receipt))

    assert result.exit_code == 2
    assert "--code-file" in result.stderr
    assert intake.asked == []


def test_the_answer_is_written_where_nobody_else_reads_it(intake: Pretended, tmp_path: Path) -> None:
    receipt, answer = tmp_path / "receipt.json", tmp_path / "answer.zip"
    receipt.write_text(json.dumps(RECEIPT))
    code, password = tmp_path / "code.txt", tmp_path / "password.txt"
    code.write_text("12345678\n")
    password.write_text("correct horse battery\n")
    link = httpx2.Response(201, json={"link": f"{HERE}/package/token", "expires_at": "2026-02-02T19:15:00Z"})
    intake.answer = lambda: (
        link if len(intake.asked) == 1 else httpx2.Response(200, content=b"PK\x03\x04everything")
    )

    result = run(
        "collect", "--saved", str(receipt), "--to", str(answer),
        "--code-file", str(code), "--password-file", str(password),
    )  # fmt: skip

    assert result.exit_code == 0
    assert [(one.method, one.url.path) for one in intake.asked] == [
        ("POST", f"{HERE}/package/link"),
        ("POST", f"{HERE}/package/token"),
    ]
    assert json.loads(intake.asked[0].content) == {"code": "12345678"}
    assert json.loads(intake.asked[1].content) == {"password": "correct horse battery"}
    assert answer.read_bytes() == b"PK\x03\x04everything"
    assert answer.stat().st_mode & 0o777 == 0o600


def test_without_a_code_one_is_mailed_and_asked_for(intake: Pretended, tmp_path: Path) -> None:
    receipt = tmp_path / "receipt.json"
    receipt.write_text(json.dumps(RECEIPT))
    intake.answer = lambda: httpx2.Response(202, json=STATUS)

    result = run("collect", "--saved", str(receipt), "--to", str(tmp_path / "answer.zip"))

    assert [one.url.path for one in intake.asked] == [f"{HERE}/package/code"]
    assert result.exit_code == 2
    assert "A code is on its way" in result.stderr
    assert "--code-file" in result.stderr


def test_a_letter_is_written_where_nobody_else_reads_it(intake: Pretended, tmp_path: Path) -> None:
    receipt, letter = tmp_path / "receipt.json", tmp_path / "letter.pdf"
    receipt.write_text(json.dumps(RECEIPT))
    intake.answer = lambda: httpx2.Response(200, content=b"%PDF-1.7")

    result = run("letter", "--saved", str(receipt), "--to", str(letter))

    assert (result.exit_code, letter.read_bytes()) == (0, b"%PDF-1.7")
    assert letter.stat().st_mode & 0o777 == 0o600


def test_an_answer_that_is_not_there_yet_is_told_and_nothing_is_written(
    intake: Pretended, tmp_path: Path
) -> None:
    receipt, answer = tmp_path / "receipt.json", tmp_path / "answer.zip"
    receipt.write_text(json.dumps(RECEIPT))
    intake.answer = lambda: httpx2.Response(404, json={"detail": "There is no answer to collect yet."})

    result = run("collect", "--saved", str(receipt), "--to", str(answer))

    assert result.exit_code == 1
    assert result.stderr == "There is no answer to collect yet.\n"
    assert not answer.exists()


def test_a_list_shows_ids_and_dates_whole_however_narrow_the_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    dates = {"received_on": "2026-02-02", "answer_by": "2026-03-19"}
    show_list([{**STATUS, **dates}], as_json=False)

    line = capsys.readouterr().out.splitlines()[1].split()
    assert line == [RECEIPT["request_id"], "delete", "received", "2026-02-02", "2026-03-19"]


def test_a_problem_is_a_sentence_with_its_remedies(intake: Pretended) -> None:
    problem = {
        "detail": "Some of what was sent cannot be used.",
        "errors": [{"field": "email", "remedy": "give one"}],
    }
    intake.answer = lambda: httpx2.Response(422, json=problem)

    result = run("submit", "--right", "delete", "--claims", "-", given='{"email": "x"}')

    assert result.exit_code == 1
    assert result.stderr.splitlines() == [problem["detail"], "  email: give one"]


def test_intake_that_does_not_answer_is_one_sentence(intake: Pretended) -> None:
    def refuse() -> httpx2.Response:
        raise httpx2.ConnectError("refused")

    intake.answer = refuse

    result = run("submit", "--right", "delete", "--claims", "-", given='{"email": "a@b.example"}')

    assert result.exit_code == 2
    assert result.stderr == "--url: intake does not answer at http://intake.test.\n"


@pytest.mark.parametrize(
    ("options", "given"),
    [
        ((), None),
        (("--claims", "-"), "[]"),
        (("--claims", "-"), "{"),
        (("--claims", "/nonexistent"), None),
        (("--claims", "-", "--email-file", "-"), "{}"),
    ],
)
def test_without_readable_claims_nothing_is_sent(
    intake: Pretended, options: tuple[str, ...], given: str | None
) -> None:
    result = run("submit", "--right", "delete", *options, given=given)

    assert result.exit_code == 2
    assert result.stderr.startswith("--")
    assert intake.asked == []


def test_a_file_that_is_no_receipt_is_refused(intake: Pretended) -> None:
    result = run("show", "--saved", "-", given='{"request_id": "x"}')

    assert result.exit_code == 2
    assert "no receipt" in result.stderr
    assert intake.asked == []


def test_where_intake_runs_is_read_from_its_home(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "intake.url").write_text("http://127.0.0.1:4711")

    assert requests_over_http.Intake.at(None, tmp_path).url == "http://127.0.0.1:4711"


def test_where_intake_does_not_run_the_remedy_is_told(tmp_path: Path) -> None:
    result = CliRunner().invoke(
        requests.app,
        ["submit", "--right", "delete", "--claims", "-", "--home", str(tmp_path)],
        input='{"email": "x"}',
    )

    assert result.exit_code == 2
    assert "habeas serve intake" in result.stderr
