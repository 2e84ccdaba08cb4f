"""From a letter to an e-mail: Jinja templates in plain English, and the headers that every notice carries."""

import re
import textwrap
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from email.headerregistry import Address, HeaderRegistry
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime
from functools import lru_cache
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined

from services.intake.domain import Letter
from services.intake.settings import Business
from shared.policy import Regime, Right

# The rights in the words of a person who never read the statute.
ASKED: Final = {
    Right.KNOW_CATEGORIES: "to know which categories of your personal information we collect",
    Right.KNOW_SPECIFIC: "to receive a copy of your personal information",
    Right.DELETE: "to have your personal information deleted",
    Right.CORRECT: "to have your personal information corrected",
    Right.OPT_OUT: "to stop the sale and sharing of your personal information",
    Right.LIMIT: "to limit the use of your sensitive personal information",
    Right.OPT_IN: "to allow the sale and sharing of your personal information again",
    Right.OPT_OUT_ADMT: "to opt out of automated decision-making technology",
    Right.ACCESS_ADMT: "to learn how automated decision-making technology was used about you",
    Right.APPEAL_ADMT: "to have a person review an automated decision",
}
WIDTH: Final = 76
UNVERIFIED: Final = "identity_not_verified"
GROUNDS: Final = {
    UNVERIFIED: "we could not verify your identity from what we were given",
    "exemption": "the law lets or makes us keep a part of it",
    "not_done": "a part of it was not done in one of our systems",
    "vendor_not_done": "a company that has your information from us could not be brought to do it, as we say below",
}


class _Headers(HeaderRegistry):
    """The standard registry makes a new class for each header of each message: most of a notice's cost."""

    def __init__(self) -> None:
        super().__init__()
        self._made: dict[str, type] = {}

    def __getitem__(self, name: str) -> type:
        known = self._made.get(name.lower())
        if known is None:
            known = self._made[name.lower()] = super().__getitem__(name)
        return known


class _Plainly(EmailPolicy):
    """Stores a header that needs no encoding and no folding as it stands; the library parses and folds each one."""

    def header_store_parse(self, name: str, value: Any) -> tuple[str, Any]:
        """What the library would write for plain text, without its three readings of it."""
        if isinstance(value, str) and PLAIN.fullmatch(value) and len(name) + len(value) + 2 <= LINE:
            return name, value
        return super().header_store_parse(name, value)

    def header_fetch_parse(self, name: str, value: str) -> Any:
        """The library reads these three again and again while it writes a message."""
        return _MIME.get((name, value)) or super().header_fetch_parse(name, value)


# Printable ASCII without what would have to be quoted or encoded: no line end, no encoded word, no odd space.
PLAIN: Final = re.compile(r"(?!.*=\?)(?!.*  )[!-~]([ -~]*[!-~])?")
LINE: Final = 78
ASCII: Final = _Plainly(linesep="\r\n", header_factory=_Headers())
UNICODE: Final = ASCII.clone(utf8=True)
_MIME: Final = {
    (name, value): ASCII.header_factory(name, value)
    for name, value in (
        ("Content-Type", 'text/plain; charset="utf-8"'),
        ("Content-Transfer-Encoding", "7bit"),
        ("MIME-Version", "1.0"),
    )
}


@dataclass(frozen=True, slots=True)
class Addressed:
    """Who one notice goes to and when; its repr shows nobody."""

    request_id: UUID
    notice_id: UUID
    email: str
    code: str | None
    at: datetime

    def __repr__(self) -> str:
        return f"Addressed(request_id={self.request_id})"


@dataclass(frozen=True, slots=True)
class Sender:
    """Who notices come from."""

    address: str
    domain: str


class Rendering:
    """Renders every notice; `access_key` is for requesters who could not be given it at submission."""

    def __init__(
        self,
        businesses: Mapping[str, Business],
        regimes: Mapping[str, Regime],
        sender: Sender,
        access_key: Callable[[UUID], str],
    ) -> None:
        self._businesses = businesses
        self._regimes = regimes
        self._sender = sender
        self._access_key = access_key
        self._templates = Environment(
            loader=PackageLoader("services.intake.notices"),
            autoescape=False,  # noqa: S701 - plain text, never HTML
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            auto_reload=False,
        )
        self._templates.filters["day"] = _day

    def message(self, letter: Letter, to: Addressed) -> EmailMessage:
        """The e-mail, ready to hand over."""
        business = self._business(letter.business)
        message = EmailMessage(policy=ASCII if to.email.isascii() else UNICODE)
        message["From"] = _from(business.name, self._sender.address)
        message["To"] = to.email
        message["Subject"] = f"{_SUBJECTS[letter.kind]} ({business.name})"
        message["Date"] = format_datetime(to.at)
        message["Message-ID"] = f"<{to.notice_id}@{self._sender.domain}>"
        # RFC 3834: an absence note must not answer a machine.
        message["Auto-Submitted"] = "auto-generated"
        if business.contact:
            message["Reply-To"] = business.contact
        _fill(message, self.text(letter, to))
        return message

    def text(self, letter: Letter, to: Addressed, says: Callable[[str], str] = lambda _: "") -> str:
        """The words; `says` hears of each statement that the law asks for as it is made."""
        template = self._templates.get_template(f"{letter.kind}.txt")
        facts = self._facts(letter, to)
        # What opens something stays in no cache.
        secret = facts["code"] is not None or facts["access_key"] is not None
        return _laid_out(template.render(**facts, says=says), _filled if secret else _filled_before)

    def _facts(self, letter: Letter, to: Addressed) -> dict[str, Any]:
        return {
            "letter": letter,
            "business": self._business(letter.business),
            "asked": ASKED.get(letter.asked or letter.right, "to exercise your privacy rights"),
            "done": ASKED.get(letter.right, "your privacy rights"),
            "ground": _ground(letter.ground),
            "kept": [self._kept(letter, one.exemption, one.count) for one in letter.kept],
            "reference": to.request_id,
            "code": to.code,
            "access_key": self._access_key(to.request_id) if letter.give_access_key else None,
            "unverified": letter.ground == UNVERIFIED,
            "expires_at": letter.expires_at and letter.expires_at.astimezone(self._zone(letter)),
        }

    def _zone(self, letter: Letter) -> ZoneInfo:
        return self._regimes[letter.regime].zone

    def _business(self, name: str) -> Business:
        return self._businesses.get(name) or Business(name=name)

    def _kept(self, letter: Letter, exemption: str, count: int) -> dict[str, Any]:
        """An exemption in the words of the law, with its place."""
        for known in self._regimes[letter.regime].rules.exemptions:
            if known.id == exemption:
                return {"count": count, "words": known.words, "cite": known.cite}
        return {"count": count, "words": exemption.replace("_", " "), "cite": None}


_SUBJECTS: Final = {
    "acknowledgement": "We received your privacy request",
    "verification_code": "Your verification code",
    "extension": "We need more time for your privacy request",
    "answer": "Our answer to your privacy request",
    "denial": "Our answer to your privacy request",
    "withdrawal": "Your privacy request is withdrawn",
}


def _fill(message: EmailMessage, text: str) -> None:
    """The body, as `set_content` would put it; what is plain already needs no encoding."""
    if not text.isascii() or max(map(len, text.splitlines())) > LINE:
        message.set_content(text)
        return
    for name, value in _MIME:
        message[name] = value
    message.set_payload(text)


@lru_cache(maxsize=64)
def _from(name: str, address: str) -> str:
    return str(Address(display_name=name, addr_spec=address))


def _laid_out(text: str, fill: Callable[[str], str]) -> str:
    """Paragraphs filled to one width; what is indented or listed stays as it stands."""
    paragraphs = re.split(r"\n\s*\n", text.strip("\n"))
    return "\n\n".join(fill(paragraph) for paragraph in paragraphs) + "\n"


def _filled(paragraph: str) -> str:
    return "\n".join(_lines(paragraph))


# A day's letters say the same but for their reference.
_filled_before: Final = lru_cache(maxsize=256)(_filled)


def _lines(paragraph: str) -> Iterator[str]:
    """Join the lines of running text and break them again; a list item hangs under its dash."""
    running: list[str] = []
    for line in paragraph.splitlines():
        if not line.startswith(("- ", "    ")):
            running.append(line.strip())
            continue
        yield from textwrap.wrap(" ".join(running), WIDTH, break_long_words=False, break_on_hyphens=False)
        running = []
        yield from textwrap.wrap(line, WIDTH, subsequent_indent="  ", break_long_words=False)
    yield from textwrap.wrap(" ".join(running), WIDTH, break_long_words=False, break_on_hyphens=False)


def _ground(ground: str | None) -> str | None:
    return GROUNDS.get(ground, ground.replace("_", " ")) if ground else None


def _day(day: date) -> str:
    return f"{day:%A}, {day:%B} {day.day}, {day.year}"
