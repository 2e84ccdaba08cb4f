"""From a letter to its text: templates in plain words, one set for each language, filled to one width."""

import re
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final, get_args
from uuid import UUID, uuid4

from jinja2 import Environment, PackageLoader, StrictUndefined

from services.intake.domain import Letter
from services.intake.notices.wording import Wording, wording
from services.intake.settings import Business
from shared.policy import Regime
from shared.privacy.claims import Language

WIDTH: Final = 76
UNVERIFIED: Final = "identity_not_verified"
LANGUAGES: Final[tuple[Language, ...]] = get_args(Language)
# As long as any reference, and in no letter: texts are filled with it before it is known whose they are.
ANYBODY: Final = uuid4()
Says = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Addressed:
    """Who one notice goes to, when, and in which language; its repr shows nobody."""

    request_id: UUID
    notice_id: UUID
    email: str
    code: str | None
    at: datetime
    language: Language = "en"
    lines: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Addressed(request_id={self.request_id})"


class Texts:
    """Writes every notice; `access_key` is for requesters who could not be given it at submission."""

    def __init__(
        self,
        businesses: Mapping[str, Business],
        regimes: Mapping[str, Regime],
        access_key: Callable[[UUID], str],
    ) -> None:
        self._businesses = businesses
        self._regimes = regimes
        self._access_key = access_key
        self._templates = {language: _environment(language) for language in LANGUAGES}
        self._alike = lru_cache(maxsize=256)(self._to_anybody)

    def business(self, name: str) -> Business:
        """How a business speaks to people; one that is not known any more still has its name."""
        return self._businesses.get(name) or Business(name=name)

    def text(self, letter: Letter, to: Addressed, says: Says | None = None) -> str:
        """The words; `says` hears of each statement that the law asks for as it is made."""
        if says is not None or letter.give_access_key or to.code is not None:
            # What opens something stays in no cache.
            return _filled(self._rendered(letter, to, says or _unheard))
        return self._alike(letter.model_dump_json(), to.language).replace(str(ANYBODY), str(to.request_id))

    def paragraphs(self, letter: Letter, to: Addressed) -> list[str]:
        """The same before it is filled, for a letter on paper."""
        return self._rendered(letter, to, _unheard)

    def _to_anybody(self, letter: str, language: Language) -> str:
        """A day's letters say the same but for their reference."""
        anybody = Addressed(ANYBODY, ANYBODY, "", None, datetime.min.replace(tzinfo=UTC), language)
        return _filled(self._rendered(Letter.model_validate_json(letter), anybody, _unheard))

    def _rendered(self, letter: Letter, to: Addressed, says: Says) -> list[str]:
        template = self._templates[to.language].get_template(f"{letter.kind}.txt")
        return re.split(r"\n\s*\n", template.render(**self._facts(letter, to), says=says).strip("\n"))

    def _facts(self, letter: Letter, to: Addressed) -> dict[str, Any]:
        words = wording(to.language)
        zone = self._regimes[letter.regime].zone
        return {
            "letter": letter,
            "business": self.business(letter.business),
            "asked": words.asked_for(letter.asked or letter.right),
            "ground": words.ground(letter.ground),
            "did": lambda did: words.done(letter.right, did),
            "called": lambda did: did.titles.get(to.language) or did.title,
            "reasons": letter.reasons_in.get(to.language) or letter.reasons,
            "kept": [self._kept(letter, words, one.exemption, one.count) for one in letter.kept],
            "backups_until": letter.backups_until and words.day(letter.backups_until),
            "reference": to.request_id,
            "code": to.code,
            "access_key": self._access_key(to.request_id) if letter.give_access_key else None,
            "unverified": letter.ground == UNVERIFIED,
            "expires_at": letter.expires_at and letter.expires_at.astimezone(zone),
        }

    def _kept(self, letter: Letter, words: Wording, exemption: str, count: int) -> dict[str, Any]:
        """An exemption in the words of the law, with its place."""
        for known in self._regimes[letter.regime].rules.exemptions:
            if known.id == exemption:
                plain = words.exemptions.get(exemption, known.words)
                return {"count": count, "words": plain, "cite": known.cite}
        return {"count": count, "words": exemption.replace("_", " "), "cite": None}


def _environment(language: Language) -> Environment:
    made = Environment(
        loader=PackageLoader("services.intake.notices", f"templates/{language}"),
        autoescape=False,  # noqa: S701 - plain text, never HTML
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
    )
    made.filters["day"] = wording(language).day
    return made


def _unheard(_: str) -> str:
    return ""


def _filled(paragraphs: Iterable[str]) -> str:
    return "\n\n".join("\n".join(_lines(paragraph)) for paragraph in paragraphs) + "\n"


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
