"""Claims and receipts in files: read from a file or standard input, written so that nobody else can read them."""

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import typer

STDIN = Path("-")


@dataclass(frozen=True, slots=True)
class SavedReceipt:
    """A request's id and its secret."""

    request_id: str
    secret: str = field(repr=False)


def read_claims(claims: Path | None, email_file: Path | None) -> dict[str, Any]:
    """What the files say of the person, as fields of the request."""
    if claims == STDIN and email_file == STDIN:
        refuse("--email-file", "standard input can be only one of the two")
    said = _object(_read(claims, "--claims"), "--claims") if claims else {}
    if email_file is not None:
        said["email"] = _read(email_file, "--email-file").strip()
    if not said:
        refuse("--email-file", "say who the request is about, with --email-file or --claims")
    return said


def read_receipt(saved: Path, option: str = "--saved") -> SavedReceipt:
    """The receipt that `submit --save` or `submit --json` wrote."""
    receipt = _object(_read(saved, option), option)
    found = (receipt.get("request_id"), receipt.get("secret"))
    if not all(isinstance(text, str) for text in found):
        refuse(option, "this is no receipt: it holds no request_id and secret")
    return SavedReceipt(str(found[0]), str(found[1]))


def earlier(*, appeals: Path | None, again: Path | None) -> tuple[dict[str, str], SavedReceipt | None]:
    """Which earlier request is meant, as a field of the new one, and its receipt."""
    if appeals is not None and again is not None:
        refuse("--again", "give either --appeals or --again")
    for field_name, path in (("appeals", appeals), ("again", again)):
        if path is not None:
            receipt = read_receipt(path, f"--{field_name}")
            return {field_name: receipt.request_id}, receipt
    return {}, None


def read_code(path: Path | None) -> str:
    """The code from a file or, where a person sits at the terminal, from that person."""
    if path is not None:
        return _read(path, "--code-file").strip()
    if not sys.stdin.isatty():
        refuse("--code-file", "say where the code is; - reads it from standard input")
    return str(typer.prompt("Code", hide_input=True)).strip()


def read_secret(path: Path, option: str) -> str:
    """One line that nobody else may see."""
    return _read(path, option).strip()


def save_package(path: Path, content: bytes) -> int:
    """Write it for this account alone; how many bytes it has."""
    from shared.private_files import write_private

    try:
        write_private(path, content)
    except OSError as error:
        refuse("--to", f"the answer cannot be written: {error.strerror}; it can be fetched again")
    return len(content)


def save_receipt(path: Path, receipt: dict[str, Any]) -> None:
    from shared.private_files import write_private

    try:
        write_private(path, json.dumps(receipt, indent=1).encode())
    except OSError as error:
        refuse(
            "--save",
            f"the request {receipt['request_id']} was made, but its receipt cannot be written: {error.strerror}",
        )


def refuse(field_name: str, sentence: str) -> NoReturn:
    """Name the option and the remedy on standard error, and exit 2."""
    typer.echo(f"{field_name}: {sentence}.", err=True)
    raise typer.Exit(2)


def _read(path: Path, option: str) -> str:
    try:
        return sys.stdin.read() if path == STDIN else path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        refuse(option, "the file cannot be read as text")


def _object(text: str, option: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        refuse(option, "it must hold one JSON object")
    return found
