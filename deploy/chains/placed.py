"""What is wrong with the anchors themselves: removed from a place, changed, unlike their list, too old, not stamped."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from deploy.chains.anchors import Signed, read_anchors
from deploy.chains.checking import Finding
from deploy.chains.places import Place
from deploy.chains.register import Registered
from deploy.chains.scratch import Scratch
from deploy.chains.stamps import NotStamped, stamped_at
from shared.signing import PublicKeys

ANCHORS = "anchors"


@dataclass(frozen=True, slots=True)
class Expected:
    """What the anchors are held against."""

    public: PublicKeys
    registered: Sequence[Registered]
    now: datetime
    within: timedelta | None = None
    roots: bytes | None = None


def check_anchors(places: Sequence[Place], expected: Expected, scratch: Scratch) -> tuple[int, list[Finding]]:
    """Take every anchor in and hold it against the other places and the database's list; how many there are.

    Raises:
        AnchorRefused: one was changed, is unsigned, or is missing between two others.
    """
    found: dict[str, Signed] = {}
    lying: dict[Place, set[str]] = {}
    faults: list[str] = []
    for place in places:
        lying[place] = set()
        for one in read_anchors(place, expected.public):
            lying[place].add(one.anchor.name)
            if one.anchor.name not in found:
                faults += _unstamped(one, expected.roots)
                scratch.add_anchor(one.anchor.name, one.anchor.heads())
            faults += _unlike(place, found.setdefault(one.anchor.name, _light(one)), one)
        faults += [f"{name} in {place} was {what} by somebody" for name, what in place.touched()]
    faults += _lacking(lying, found, expected.registered)
    faults += _too_old(found, expected)
    return len(found), [Finding(ANCHORS, None, None, fault) for fault in faults]


def _light(one: Signed) -> Signed:
    """Without its bytes, which are taken in already."""
    anchor = one.anchor
    return Signed(type(anchor)(anchor.number, anchor.at, anchor.name, anchor.sha256, b""), b"")


def _unlike(place: Place, first: Signed, one: Signed) -> Iterator[str]:
    if first.anchor.sha256 != one.anchor.sha256:
        yield f"{one.anchor.name} in {place} is another than elsewhere"


def _unstamped(one: Signed, roots: bytes | None) -> Iterator[str]:
    """A stamp is looked at where somebody says whom to believe."""
    if roots is None or one.stamp is None:
        return
    try:
        stamped_at(one.stamp, one.anchor.content, roots)
    except NotStamped as error:
        yield f"{one.anchor.name}: {error}"


def _lacking(
    lying: Mapping[Place, set[str]], found: Mapping[str, Signed], made: Sequence[Registered]
) -> Iterator[str]:
    """Anchors that one place has and another has not, and those that the database remembers and no place has."""
    known = set(found) | {one.name for one in made}
    for place, names in lying.items():
        for name in sorted(known - names):
            yield f"{name} was made and is not in {place}: it was removed"
    for one in made:
        if one.name in found and found[one.name].anchor.sha256 != one.sha256:
            yield f"{one.name} is not the one that was made: the database's list names another digest"


def _too_old(found: Mapping[str, Signed], expected: Expected) -> Iterator[str]:
    if expected.within is None:
        return
    newest = max((one.anchor.at for one in found.values()), default=None)
    if newest is None or expected.now - newest > expected.within:
        since = f"since {newest.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if newest else "at all"
        yield f"no anchor was made {since}, or the newest were removed with their entries in the database"
