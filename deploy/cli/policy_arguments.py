"""Reading a regime, a right and a time of receipt from the command line, each refused in one sentence."""

from datetime import datetime
from typing import NoReturn

import typer

from shared.policy import (
    Clocks,
    DateOutOfRangeError,
    NotInForceError,
    Regime,
    Right,
    RightNotOfferedError,
    UnknownRegimeError,
    UnknownRightError,
    compute_clocks,
    load_regime,
    parse_right,
)

EXAMPLE = "2026-01-15T10:00:00-08:00 or 2026-01-15T18:00:00Z"


def read_regime(text: str) -> Regime:
    try:
        return load_regime(text)
    except UnknownRegimeError as error:
        refuse("--regime", str(error))


def read_right(text: str) -> Right:
    try:
        return parse_right(text)
    except UnknownRightError as error:
        refuse("--right", str(error))


def read_granted_right(regime: Regime, text: str) -> Right:
    """Take a right only if the regime has it, in force or to come."""
    right = read_right(text)
    try:
        regime.right(right)
    except RightNotOfferedError as error:
        refuse("--right", str(error))
    return right


def read_received(text: str) -> datetime:
    """Take an instant only with its offset: the same wall clock elsewhere can be another date of receipt."""
    try:
        received_at = datetime.fromisoformat(text)
    except ValueError:
        refuse("--received", f"not a date and time that exists; write it as {EXAMPLE}")
    if received_at.utcoffset() is None:
        refuse("--received", f"the offset from UTC is missing; write it as {EXAMPLE}")
    return received_at


def compute_or_refuse(regime: Regime, right: Right, received_at: datetime) -> Clocks:
    """Compute the dates, or blame the option that the policy could not follow."""
    try:
        return compute_clocks(regime, right, received_at)
    except (DateOutOfRangeError, NotInForceError) as error:
        refuse("--received", str(error))
    except RightNotOfferedError as error:
        refuse("--right", str(error))


def refuse(field: str, sentence: str) -> NoReturn:
    """Name the field and the remedy on standard error, and exit 2."""
    typer.echo(f"{field}: {sentence}.", err=True)
    raise typer.Exit(2)
