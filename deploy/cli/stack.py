"""`habeas stack`: start, stop and look at the embedded stack; a refusal is one sentence, no traceback."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from deploy.local.stack import StackInfo, StackStatus

app = typer.Typer(
    help="Start, stop and look at PostgreSQL, Kafka and the mail catcher.", no_args_is_help=True
)


class Broker(StrEnum):
    auto = "auto"
    kafka = "kafka"
    light = "light"


class Part(StrEnum):
    postgres = "postgres"
    kafka = "kafka"
    mail = "mail"


Home = Annotated[
    Path | None,
    typer.Option("--home", help="The stack's folder; else what HABEAS_HOME says, else .habeas here."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@app.command(epilog="Example: habeas stack up --broker kafka")
def up(
    broker: Annotated[
        Broker, typer.Option(help="The real Kafka, the light stand-in, or whichever can be had.")
    ] = Broker.auto,
    brokers: Annotated[int, typer.Option(min=1, max=3, help="1, or 3 brokers that copy each other.")] = 1,
    kafka_proxy_port: Annotated[
        int | None,
        typer.Option(min=1, max=65535, help="A second listener advertises this port (a fault proxy's)."),
    ] = None,
    home: Home = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Start what does not run yet and say where everything answers."""
    from deploy.local import stack

    with _refusals():
        found = stack.up(
            _home(home),
            broker=broker.value,
            brokers=brokers,
            kafka_proxy_port=kafka_proxy_port,
            report=lambda sentence: typer.echo(sentence, err=True),
        )
    _print(_facts(found), _info_lines(found), as_json=as_json)


@app.command(epilog="Example: habeas stack down")
def down(home: Home = None, *, as_json: AsJson = False) -> None:
    """Stop what was started; the data stays."""
    from deploy.local import stack

    with _refusals():
        stack.down(_home(home))
    said = ["The stack is stopped; its data stays for the next start."]
    _print({"home": _home(home), "stopped": True}, said, as_json=as_json)


@app.command(epilog="Example: habeas stack status --json")
def status(home: Home = None, *, as_json: AsJson = False) -> None:
    """Say what runs; the exit code is 0 when everything does, else 3."""
    from deploy.local import stack

    with _refusals():
        found = stack.status(_home(home))
    _print(_status_facts(found), _status_lines(found), as_json=as_json)
    if not found.running:
        raise typer.Exit(3)


@app.command(epilog="Example: habeas stack logs kafka -f")
def logs(
    part: Annotated[Part | None, typer.Argument(help="One server's log; all of them when left out.")] = None,
    lines: Annotated[int, typer.Option("-n", min=1, help="How many last lines.")] = 40,
    home: Home = None,
    *,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on until Ctrl-C.")] = False,
) -> None:
    """Show the last lines of the servers' logs."""
    from deploy.local import logs as stack_logs

    with _refusals():
        for line in stack_logs.read(_home(home), part.value if part else None, lines=lines, follow=follow):
            typer.echo(line)


@app.command(epilog="Example: habeas stack reset --yes")
def reset(
    home: Home = None,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Stop the stack and delete all of its data."""
    from deploy.local import stack

    if not yes:
        typer.confirm(f"Delete the database, the topics and the mail in {_home(home)}?", abort=True, err=True)
    with _refusals():
        stack.reset(_home(home))
    _print({"home": _home(home), "deleted": True}, ["The stack's data is deleted."], as_json=as_json)


def _home(chosen: Path | None) -> Path:
    from deploy.local.places import default_home

    return chosen.absolute() if chosen else default_home()


@contextmanager
def _refusals() -> Iterator[None]:
    from deploy.local.errors import StackError

    try:
        yield
    except StackError as refusal:
        typer.echo(str(refusal), err=True)
        raise typer.Exit(1) from refusal
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


def _print(facts: dict[str, Any], lines: list[str], *, as_json: bool) -> None:
    typer.echo(json.dumps(facts, default=str) if as_json else "\n".join(lines))


def _facts(found: "StackInfo") -> dict[str, Any]:
    return asdict(found)


def _info_lines(found: "StackInfo") -> list[str]:
    lines = [
        f"Kafka       {found.kafka_bootstrap}  ({found.broker})",
        f"PostgreSQL  {_without_password(found.database_url)}",
        f"Mail        {found.smtp_host}:{found.smtp_port}, kept in {found.mail_dir}",
    ]
    if found.kafka_proxied:
        lines.append(f"Proxy to    {', '.join(found.kafka_proxied)}")
    return lines


def _without_password(url: str) -> str:
    return re.sub(r"://([^:/@]+):[^@]*@", r"://\1@", url)


def _status_facts(found: "StackStatus") -> dict[str, Any]:
    return {**asdict(found), "running": found.running}


def _status_lines(found: "StackStatus") -> list[str]:
    rows = [f"{one.name:<10} {one.state:<8} {one.pid or '':>8}  {one.address}" for one in found.components]
    return [f"{found.home}  {found.broker or 'never started'}", *rows]
