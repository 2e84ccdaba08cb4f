"""The letters that a company would be sent, with names in the place of values."""

from collections.abc import Collection, Iterator

from services.fulfillment.adapters.email import HANDOVER, letters
from services.fulfillment.datamap.systems import System
from services.fulfillment.told.subjects import known_by, rights_told


def statements_of(system: System, kinds: Collection[str]) -> str:
    """The letter for each right that the company is told of: its head, its words and what lies beside them."""
    subjects = known_by(system, kinds)
    if not subjects:
        return "Letters\n  none: it knows nobody by these\n"
    lines = [f"Each letter is {_sealed(system)}; afterwards {_end(system)}", "", "Letters"]
    for right in sorted(rights_told(system)):
        lines += [f"  {line}".rstrip() for line in _letter(system, right.value, subjects)]
    return "\n".join(lines) + "\n"


def _letter(system: System, right: str, subjects: list[dict[str, str]]) -> Iterator[str]:
    sender = str(system.settings["from"])
    yield f"From: {sender}"
    yield f"To: {system.settings['to']}"
    yield f"Subject: {letters.subject(':order')}"
    yield f"Message-ID: {letters.message_id(':order', sender)}"
    yield ""
    yield from letters.words(right, subjects, ":cut_off", ":order").splitlines()
    yield f"beside it {letters.BESIDE}: {letters.order(right, subjects, ':cut_off', ':order').decode()}"
    yield ""


def _sealed(system: System) -> str:
    signed = "signed" if "signing_key" in system.secrets else "not signed"
    return f"{signed}, {'encrypted to the company' if 'certificate' in system.secrets else 'not encrypted'}"


def _end(system: System) -> str:
    if system.settings.get("acknowledged_by") == HANDOVER:
        return "it is done when the mail server took it"
    return "a person ends the task with the company's answer"
