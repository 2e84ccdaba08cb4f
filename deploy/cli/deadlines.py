"""`habeas deadlines`: the dates that a request received at a given instant would have to keep."""

import getpass
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from datetime import datetime

    from shared.policy import Regime as Law

Asked = Annotated[str, typer.Option(help="What is asked; know and access mean know_specific.")]
Received = Annotated[str, typer.Option(help="When the request arrived, ISO 8601 with its offset.")]
Regime = Annotated[
    str | None,
    typer.Option(help="The body of rules, such as us-ca-ccpa, or a place that has one, such as us-va."),
]
Residency = Annotated[
    str | None, typer.Option(help="Instead of --regime: where the person lives, such as US-CA or DE.")
]
Facts = Annotated[
    list[str] | None, typer.Option(help="What is true of the business, such as data_broker; repeatable.")
]
Zone = Annotated[str | None, typer.Option(help="The zone of a time without an offset.")]
Events = Annotated[
    list[str] | None, typer.Option(help="What happened, such as extension-notice:2026-03-10; repeatable.")
]
Explain = Annotated[bool, typer.Option("--explain", help="List every day and why it counts.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
ME = getpass.getuser()

app = typer.Typer(help="Compute statutory dates.", no_args_is_help=True)


@app.callback()
def deadlines() -> None:
    """Compute statutory dates."""


@app.command(
    epilog="Examples:\n\n"
    "habeas deadlines compute --regime us-ca-ccpa --right delete "
    "--received 2026-01-15T10:00:00-08:00 --json\n\n"
    "habeas deadlines compute --regime us-ca-ccpa --right opt_out --received 2026-11-21T01:30:00Z --explain\n\n"
    "habeas deadlines compute --regime uk-gdpr --right access --received 2026-09-03T09:00:00+01:00 "
    "--event clarification-asked:2026-09-07 --event clarification-received:2026-09-14\n\n"
    "habeas deadlines compute --residency US-CA --fact established_in_eu --right delete "
    "--received 2026-01-15T10:00 --zone America/Los_Angeles"
)
def compute(  # noqa: PLR0913 - one parameter for each option
    *,
    right: Asked,
    received: Received,
    regime: Regime = None,
    residency: Residency = None,
    fact: Facts = None,
    zone: Zone = None,
    event: Events = None,
    explain: Explain = False,
    as_json: AsJson = False,
) -> None:
    """Print when a request must be acknowledged and answered, and until when the law would accept it."""
    from deploy.cli.deadline_views import print_outlooks
    from deploy.cli.policy_arguments import (
        outlooks_or_refuse,
        read_facts,
        read_received,
        read_regimes,
        read_right,
    )

    facts = read_facts(fact or ())
    regimes = read_regimes(regime, residency, facts)
    asked, received_at = read_right(right), read_received(received, zone)
    found = outlooks_or_refuse(regimes, asked, received_at, facts, event or ())
    print_outlooks(found, events=bool(event), explain=explain, several=residency is not None, as_json=as_json)


@app.command(
    epilog="Example: habeas deadlines accessed --regime us-ca-delete-act --business cascadia "
    "--at 2026-09-15T10:00:00-07:00"
)
def accessed(
    *,
    regime: Annotated[str, typer.Option(help="The law that has it repeated, such as us-ca-delete-act.")],
    business: Annotated[str, typer.Option(help="The business that did it.")],
    at: Annotated[str, typer.Option(help="When, ISO 8601 with its offset.")],
    actor: Annotated[
        str, typer.Option(help="Who says so; an account name, never an address.", envvar="HABEAS_ACTOR")
    ] = ME,
    as_json: AsJson = False,
) -> None:
    """State that the state's deletion platform was accessed; the service warns before the next time is due.

    The Delete Act asks for it at least every 45 days (Civ. Code 1798.99.86(c)).
    """
    from deploy.cli.policy_arguments import read_received, read_regime_name
    from shared.policy import access_due

    law, done_at = read_regime_name(regime), read_received(at, option="--at")
    _state_access(law, business, done_at, actor, as_json=as_json)
    due = access_due(law, done_at)
    if due is not None and not as_json:
        typer.echo(f"next by {due.date} ({due.cite})")


def _state_access(law: "Law", business: str, done_at: "datetime", actor: str, *, as_json: bool) -> None:
    """Tell the service, or say which option it could not take."""
    from pydantic import ValidationError

    from deploy.cli.decisions import send
    from deploy.cli.policy_arguments import refuse
    from shared.events.recurring import RecordAccess
    from shared.ids import recurring_id

    if law.rules.cadence is None:
        refuse("--regime", f"{law.id} has nothing repeated; us-ca-delete-act does")
    try:
        body = RecordAccess(business=business, regime=law.id, accessed_at=done_at, actor=actor)
    except ValidationError:
        refuse("--business", "name the business, and who says so, by letters, digits, - and _ alone")
    send(recurring_id(business, law.id), body, as_json=as_json)
