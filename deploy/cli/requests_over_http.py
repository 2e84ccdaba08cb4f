"""Intake's HTTP interface as the command line uses it; a problem becomes a sentence on standard error."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import httpx2
import typer

from deploy.cli.request_files import SavedReceipt, read_code, read_secret, refuse

SECONDS = 30.0


def new_client(url: str) -> httpx2.Client:
    return httpx2.Client(base_url=url, timeout=SECONDS)


@dataclass(frozen=True, slots=True)
class Intake:
    """One intake service."""

    url: str

    @classmethod
    def at(cls, url: str | None, home: Path) -> "Intake":
        """The service at the address, else the one that was started in this home."""
        if url is not None:
            return cls(url)
        try:
            return cls((home / "run" / "intake.url").read_text().strip())
        except OSError:
            refuse(
                "--url", "intake does not run here; start it with: habeas serve intake, or give its address"
            )

    def submit(
        self, body: dict[str, Any], key: str | None, first: SavedReceipt | None = None
    ) -> dict[str, Any]:
        """Make a request; one that follows from an earlier one shows that one's secret."""
        headers = {"Idempotency-Key": key} if key else {}
        return self._ask(
            "POST", "/requests", body=body, headers={**headers, **(_bearer(first) if first else {})}
        )

    def status(self, receipt: SavedReceipt) -> dict[str, Any]:
        return self._ask("GET", f"/requests/{receipt.request_id}", headers=_bearer(receipt))

    def withdraw(self, receipt: SavedReceipt) -> dict[str, Any]:
        return self._ask("POST", f"/requests/{receipt.request_id}/withdrawal", headers=_bearer(receipt))

    def prove(self, receipt: SavedReceipt, code: str) -> dict[str, Any]:
        path = f"/requests/{receipt.request_id}/verification"
        return self._ask("POST", path, headers=_bearer(receipt), body={"code": code})

    def confirmation(
        self, receipt: SavedReceipt, code_file: Path | None, assertion_file: Path | None
    ) -> dict[str, Any]:
        """The proof that was given, or a code that is mailed now and asked for."""
        if assertion_file is not None:
            return {"assertion": read_secret(assertion_file, "--assertion-file")}
        if code_file is None:
            self._ask("POST", f"/requests/{receipt.request_id}/package/code", headers=_bearer(receipt))
            typer.echo("A code is on its way to the e-mail address of the request.", err=True)
        return {"code": read_code(code_file)}

    def link(self, receipt: SavedReceipt, proof: dict[str, Any]) -> str:
        path = f"/requests/{receipt.request_id}/package/link"
        return str(self._ask("POST", path, headers=_bearer(receipt), body=proof)["link"])

    def package(self, link: str, password: str | None) -> bytes:
        if password is None:
            return self._fetched(self._send("GET", link, headers={}))
        return self._fetched(self._send("POST", link, headers={}, body={"password": password}))

    def letter(self, receipt: SavedReceipt) -> bytes:
        return self._fetched(
            self._send("GET", f"/requests/{receipt.request_id}/letter", headers=_bearer(receipt))
        )

    def _fetched(self, answer: httpx2.Response) -> bytes:
        if not answer.is_success:
            _explain(self._content(answer))
        return answer.content

    def _ask(
        self, method: str, path: str, *, headers: dict[str, str], body: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        answer = self._send(method, path, headers=headers, body=body)
        content = self._content(answer)
        if not answer.is_success or not isinstance(content, dict):
            _explain(content)
        return content

    def _send(
        self, method: str, path: str, *, headers: dict[str, str], body: dict[str, Any] | None = None
    ) -> httpx2.Response:
        try:
            with new_client(self.url) as client:
                return client.request(method, path, json=body, headers=headers)
        except (httpx2.HTTPError, httpx2.InvalidURL):
            self._silent()

    def _content(self, answer: httpx2.Response) -> Any:
        try:
            return answer.json()
        except ValueError:
            self._silent()

    def _silent(self) -> NoReturn:
        refuse("--url", f"intake does not answer at {self.url}")


def _bearer(receipt: SavedReceipt) -> dict[str, str]:
    return {"Authorization": f"Bearer {receipt.secret}"}


def _explain(problem: Any) -> NoReturn:
    """Print a problem's sentence and each fault with its remedy; exit 1."""
    known = problem if isinstance(problem, dict) else {}
    typer.echo(known.get("detail", "Intake refused without saying why."), err=True)
    for fault in known.get("errors", []):
        typer.echo(f"  {fault.get('field') or 'body'}: {fault.get('remedy')}", err=True)
    raise typer.Exit(1)
