"""From a letter to an e-mail: its text, and the headers that every notice carries."""

import re
from dataclasses import dataclass
from email.headerregistry import Address, HeaderRegistry
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime
from functools import lru_cache
from typing import Any, Final

from services.intake.domain import Letter
from services.intake.notices.texts import Addressed, Texts
from services.intake.notices.wording import wording


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
        if isinstance(value, str) and _is_plain(name, value):
            return name, value
        return super().header_store_parse(name, value)

    def fold_binary(self, name: str, value: Any) -> bytes:
        """The same when the message is written."""
        if type(value) is str and _is_plain(name, value):
            return f"{name}: {value}{self.linesep}".encode()
        return super().fold_binary(name, value)

    def header_fetch_parse(self, name: str, value: str) -> Any:
        """The library reads these three again and again while it writes a message."""
        return _MIME.get((name, value)) or super().header_fetch_parse(name, value)


# Printable ASCII without what would have to be quoted or encoded: no line end, no encoded word, no odd space.
PLAIN: Final = re.compile(r"(?!.*=\?)(?!.*  )[!-~]([ -~]*[!-~])?")
LINE: Final = 78


def _is_plain(name: str, value: str) -> bool:
    return len(name) + len(value) + 2 <= LINE and PLAIN.fullmatch(value) is not None


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
class Sender:
    """Who notices come from."""

    address: str
    domain: str


class Rendering:
    """Makes the mail of every notice."""

    def __init__(self, texts: Texts, sender: Sender) -> None:
        self._texts = texts
        self._sender = sender

    def message(self, letter: Letter, to: Addressed) -> EmailMessage:
        """The e-mail, ready to hand over."""
        business = self._texts.business(letter.business)
        message = EmailMessage(policy=ASCII if to.email.isascii() else UNICODE)
        message["From"] = _from(business.name, self._sender.address)
        message["To"] = to.email
        message["Subject"] = f"{wording(to.language).subjects[letter.kind]} ({business.name})"
        message["Date"] = format_datetime(to.at)
        message["Message-ID"] = f"<{to.notice_id}@{self._sender.domain}>"
        # RFC 3834: an absence note must not answer a machine.
        message["Auto-Submitted"] = "auto-generated"
        if business.contact:
            message["Reply-To"] = business.contact
        _fill(message, self._texts.text(letter, to))
        message["Content-Language"] = to.language
        return message


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
