"""Whatever comes whenever: a case asks to be woken in the future or not at all, and says nothing twice."""

from collections.abc import Callable
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from services.deadline.domain import CERTIFICATE, DESTROY_KEY
from shared.events.intake import NoticeExpired, NoticeKind
from shared.events.message import Event
from tests.support import facts
from tests.support.watched import Watched

# What a request can hear once, and what it can hear often; times are hours since the move before.
ONCE: dict[str, Event] = {
    "received": facts.received(),
    "withdrawn": facts.withdrawn(),
    "verified": facts.verified(),
    "complete": facts.fulfilled(),
    "taken back": facts.fulfilled(resolution="withdrawn"),
}
NOTICES: tuple[NoticeKind, ...] = ("acknowledgement", "extension", "answer", "denial", "withdrawal")
OTHERS: dict[str, Callable[[Watched], object]] = {
    "ask": lambda watched: watched.ask_extension(),
    "expired": lambda watched: watched.hear(NoticeExpired(kind="extension", send_by=watched.due.late_from)),
    "refused": lambda watched: watched.intake_refuses(),
    "read back": lambda watched: "extended" in watched.stated and watched.read_back_extension(),
    "certified": lambda watched: _finish(watched, CERTIFICATE),
    "destroyed": lambda watched: _finish(watched, DESTROY_KEY),
}
MOVES = [*ONCE, *NOTICES, *OTHERS, "nothing"]
LIMIT = timedelta(days=400)

moves = st.lists(
    st.tuples(st.sampled_from(MOVES), st.integers(0, 24 * 30), st.integers(0, 24 * 60), st.booleans()),
    max_size=14,
)


@settings(deadline=None, max_examples=150)
@given(moves)
def test_a_case_never_turns_in_circles_and_says_nothing_twice(
    told: list[tuple[str, int, int, bool]],
) -> None:
    watched = Watched()
    for number, (move, hours, ago, asleep) in enumerate(told):
        if move not in [earlier for earlier, *_ in told[:number]] or move not in ONCE:
            _make(watched, move, timedelta(hours=ago))
        assert watched.driver.wake_at is None or watched.driver.wake_at > watched.driver.now
        later = watched.driver.now + timedelta(hours=hours)
        (watched.sleep_until if asleep else watched.pass_until)(later)

    watched.pass_until(watched.received_at + LIMIT)

    assert watched.driver.wake_at is None
    _says_nothing_twice(watched)


def _make(watched: Watched, move: str, ago: timedelta) -> None:
    if move in ONCE:
        watched.hear(ONCE[move])
    elif move in NOTICES:
        watched.hear(facts.notice_sent(move, watched.driver.now - ago))
    elif move in OTHERS:
        OTHERS[move](watched)


def _finish(watched: Watched, key: str) -> None:
    if key in watched.driver.tasks:
        watched.driver.finish(key)


def _says_nothing_twice(watched: Watched) -> None:
    stated = watched.stated
    assert stated.count("closed") <= 1
    assert stated.count("extended") <= 1
    for clock in ("acknowledge", "respond"):
        misses = [word for word in stated if word in {f"{clock} missed", f"{clock} not missed"}]
        # Missed, taken back, missed again under the later date: always in turn.
        in_turn = [f"{clock} missed", f"{clock} not missed"] * 4
        assert misses == in_turn[: len(misses)]
