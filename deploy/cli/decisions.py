"""`habeas decide`: a person's decisions about one request, signed and answered."""

import asyncio
import getpass
import json
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated
from uuid import UUID, uuid4

import typer

if TYPE_CHECKING:
    from shared.events.message import Command

app = typer.Typer(help="Decide something about one request; signed with the CLI's key.", no_args_is_help=True)

Request = Annotated[UUID, typer.Argument(help="The request's id.")]
Actor = Annotated[
    str, typer.Option(help="Who decides; an account name, never an address.", envvar="HABEAS_ACTOR")
]
ME = getpass.getuser()
HINTS = {
    "kept": "it is kept and not in force: the request waits for a person; see habeas dead-letters list",
    "released": "the hold of this id was released; place it anew under another id",
    "unknown_business": "No connected system is that business's; habeas systems coverage names them.",
    "unknown_system": "That business has no such system or vendor; habeas systems check names them.",
    "unknown_category": "No map of that business names that category; habeas systems coverage does.",
    "not_a_hold": "That id is a request's: habeas decide hold|release.",
}
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


class Ground(StrEnum):
    not_by_the_consumer = "not_by_the_consumer"
    suspected_fraud = "suspected_fraud"
    unfounded_or_excessive = "unfounded_or_excessive"


class VendorOutcome(StrEnum):
    done = "done"
    nothing = "nothing"
    impossible = "impossible"
    disproportionate = "disproportionate"


class Decided(StrEnum):
    grant = "grant"
    deny = "deny"


@app.command("extend")
def extend(
    request: Request,
    reason: Annotated[list[str], typer.Option(help="Why more time is needed; the requester reads it.")],
    actor: Actor = ME,
    *,
    reason_es: Annotated[
        list[str] | None, typer.Option(help="The same in Spanish, for who asked in Spanish.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Ask for the once-only extension of the answer's date; it counts once its notice went out in time.

    Example: habeas decide extend 6f9c… --reason "The archive is being restored until Friday."
    """
    from shared.events.commands import ExtendDeadline

    other = {"es": tuple(reason_es)} if reason_es else {}
    body = ExtendDeadline.model_validate({"reasons": tuple(reason), "reasons_in": other, "actor": actor})
    send(request, body, as_json=as_json)


@app.command("hold")
def hold(
    request: Request,
    reason: Annotated[str, typer.Option(help="The duty to keep, such as a case number.")],
    actor: Actor = ME,
    *,
    evidence: Annotated[str | None, typer.Option(help="Where the duty is proved: a ticket's number.")] = None,
    as_json: Json = False,
) -> None:
    """Place a legal hold: nothing of this request's data is destroyed until it is released.

    Of a request that is over, the key is kept.
    On a person, a system or a category, for every request: habeas holds place.

    Example: habeas decide hold 6f9c… --reason "litigation 24-118"
    """
    from shared.events.commands import HoldRequestKey, PlaceHold

    hold_id = uuid4()
    body = PlaceHold(hold_id=hold_id, actor=actor, reason=reason, evidence=evidence)
    over = HoldRequestKey(hold_id=hold_id, actor=actor, reason=reason)
    send(request, body, once_over=over, as_json=as_json)


@app.command("release")
def release(  # noqa: PLR0913 - one option for each thing that is stated
    request: Request,
    hold_id: Annotated[UUID, typer.Option(help="The hold's id, as `hold` printed it.")],
    actor: Actor = ME,
    *,
    reason: Annotated[str | None, typer.Option(help="Why the duty is over.")] = None,
    evidence: Annotated[str | None, typer.Option(help="Where that is proved: a ticket's number.")] = None,
    as_json: Json = False,
) -> None:
    """Release a legal hold; what waited for it goes on, and of a request that is over, a key that is due goes.

    `habeas retention holds` lists those in force.

    Example: habeas decide release 6f9c… --hold-id 0b1d…
    """
    from shared.events.commands import ReleaseHold, ReleaseRequestKey

    body = ReleaseHold(hold_id=hold_id, actor=actor, reason=reason, evidence=evidence)
    send(request, body, once_over=ReleaseRequestKey(hold_id=hold_id, actor=actor), as_json=as_json)


@app.command("retry")
def retry(
    request: Request,
    task: Annotated[str, typer.Option(help="The task, as `habeas events show` names it.")],
    reason: Annotated[str, typer.Option(help="What was mended.")],
    actor: Actor = ME,
    *,
    as_json: Json = False,
) -> None:
    """Let a task that waits for a person run again; it proves before it acts.

    Example: habeas decide retry 6f9c… --task act:crm:delete --reason "credentials renewed"
    """
    from shared.events.commands import RetryTask

    send(request, RetryTask(task=task, actor=actor, reason=reason), as_json=as_json)


@app.command("complete")
def complete(  # noqa: PLR0913 - one option for each thing that is stated
    request: Request,
    task: Annotated[str, typer.Option(help="The task that waits for a person.")],
    outcome: Annotated[VendorOutcome, typer.Option(help="What you found out.")],
    reason: Annotated[str, typer.Option(help="The facts; they explain it to whoever asks later.")],
    actor: Actor = ME,
    *,
    evidence: Annotated[str | None, typer.Option(help="Where they are proved: a ticket's number.")] = None,
    as_json: Json = False,
) -> None:
    """End what waits for a person: a vendor that is silent or refuses, a call that no machine can prove or repeat.

    Your signed word is the receipt. For a system's own task (act:...) the evidence must be named, and the
    certificate names it too.

    Example: habeas decide complete 6f9c… --task await:acme:delete:3 --outcome done --reason "their letter of May 4"

    Example: habeas decide complete 6f9c… --task act:mailer:delete --outcome done
    --reason "gone from the mailer's list, seen in its console" --evidence SUP-4711
    """
    from shared.events.commands import CompleteTask

    body = CompleteTask(task=task, outcome=outcome.value, actor=actor, reason=reason, evidence=evidence)
    send(request, body, as_json=as_json)


@app.command("review")
def review(
    request: Request,
    outcome: Annotated[Decided, typer.Option(help="What you decided.")],
    reason: Annotated[str, typer.Option(help="Why, without a name; the requester reads why it is denied.")],
    actor: Actor = ME,
    *,
    as_json: Json = False,
) -> None:
    """Decide about a request that waits for it: whether a third copy in twelve months is given, for example.

    No rule ever denies such a request by itself. `grant` has it done as any other; `deny` answers it with your reason,
    in which a fee may be offered (Civ. Code 1798.145(h)(3)). `habeas events show` says what is to be decided.

    Example: habeas decide review 6f9c… --outcome grant --reason "a court asked for it"

    Example: habeas decide review 6f9c… --outcome deny
    --reason "You had two copies in the last 12 months; ask again from March 10, 2027"
    """
    from shared.events.commands import DecideReview

    send(request, DecideReview(outcome=outcome.value, actor=actor, reason=reason), as_json=as_json)


@app.command("deny")
def deny(
    request: Request,
    ground: Annotated[Ground, typer.Option(help="On what ground.")],
    reason: Annotated[str, typer.Option(help="Why you believe so, without a name; the requester reads it.")],
    actor: Actor = ME,
    *,
    as_json: Json = False,
) -> None:
    """Deny a request: it was not the consumer who asked, it is fraud, or it is manifestly unfounded or excessive.

    Only before a system was asked to act. An opt-out may be denied only on a good-faith, reasonable and documented
    belief of fraud (11 CCR 7026(e)). The yearly figures count it under its ground.

    Example: habeas decide deny 6f9c… --ground not_by_the_consumer
    --reason "The agency that asked sent no permission after two reminders"
    """
    from shared.events.commands import DenyRequest

    send(request, DenyRequest(ground=ground.value, actor=actor, reason=reason), as_json=as_json)


def send(
    request: UUID,
    body: "Command",
    *,
    as_json: bool,
    named: UUID | None = None,
    once_over: "Command | None" = None,
) -> None:
    """Sign a decision, give it to the service, and print its answer; exit 1 if it was refused.

    `once_over` is the same decision about a request that is over, which another service takes.
    """
    from deploy.commands import decide
    from deploy.settings import local_settings

    answer = asyncio.run(decide(local_settings(), request, body))
    if answer.reason == "already_ended" and once_over is not None:
        answer = asyncio.run(decide(local_settings(), request, once_over))
    hold_id = named or getattr(body, "hold_id", None)
    if as_json:
        said = {"command_id": str(answer.command_id), "state": answer.state, "reason": answer.reason}
        typer.echo(json.dumps({**said, "hold_id": str(hold_id)} if hold_id else said))
    else:
        typer.echo(f"{answer.state}: {answer.reason}" if answer.reason else answer.state)
        if answer.reason in HINTS:
            typer.echo(HINTS[answer.reason])
        if hold_id and answer.state != "refused":
            typer.echo(f"hold id: {hold_id}")
    if answer.state != "accepted":
        raise typer.Exit(1)
