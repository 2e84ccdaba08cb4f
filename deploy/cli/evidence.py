"""`habeas evidence`: certificates, checked with the public key alone; histories, checked against their anchors."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

app = typer.Typer(help="Check the proof of a closed request.", no_args_is_help=True)


Home = Annotated[Path, typer.Option(envvar="HABEAS_HOME", help="Where this installation's keys lie.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Url = Annotated[
    str | None,
    typer.Option(
        envvar="HABEAS_DEADLINE_URL",
        help="Where the deadline service answers.",
        show_default="the one that runs here",
    ),
]
DEFAULT_HOME = Path(".habeas")


@app.command(
    epilog="Examples:\n\n"
    "habeas evidence show 0199c0de-7000-7000-8000-00000000c0de\n\n"
    "habeas evidence show 0199c0de-7000-7000-8000-00000000c0de --save certificate.jws --save-events events.jsonl"
)
def show(  # noqa: PLR0913 - one option for each thing that can be said
    request: Annotated[UUID, typer.Argument(help="The closed request's id.")],
    *,
    save: Annotated[Path | None, typer.Option(help="Write the certificate here.")] = None,
    save_events: Annotated[
        Path | None, typer.Option(help="Write the request's events here, as Kafka holds them.")
    ] = None,
    url: Url = None,
    home: Home = DEFAULT_HOME,
    as_json: AsJson = False,
) -> None:
    """Fetch the certificate of a closed request, check its signature and tell what it proves."""
    from deploy.cli.certificates import events_of, fetch
    from deploy.cli.evidence_views import CannotCheck, judge, show_whole

    try:
        token = fetch(request, url, home)
        verdict = judge(token, home / "keys" / "public" / "evidence.jwks.json")
    except CannotCheck as error:
        typer.echo(f"habeas: {error}", err=True)
        raise typer.Exit(2) from None
    if save is not None:
        save.write_text(f"{token}\n", "utf-8")
    if save_events is not None:
        save_events.write_text(events_of(request), "utf-8")
    show_whole(verdict, as_json=as_json)
    if not as_json:
        _say_where({"certificate is": save, "events are": save_events})
    raise typer.Exit(0 if verdict.genuine else 1)


def _say_where(written: Mapping[str, Path | None]) -> None:
    for what, file in written.items():
        if file is not None:
            typer.echo(f"The {what} in {file}.")


@app.command(
    epilog="Examples:\n\n"
    "habeas evidence verify certificate.jws\n\n"
    "habeas evidence verify certificate.jws --jwks evidence.jwks.json --events events.jsonl --json\n\n"
    "habeas evidence verify proof.zip --jwks evidence.jwks.json"
)
def verify(
    file: Annotated[
        Path, typer.Argument(help="The certificate, or a bundle; - reads standard input.", allow_dash=True)
    ],
    jwks: Annotated[
        Path | None,
        typer.Option(help="The public keys; those of this installation if unset.", show_default=False),
    ] = None,
    events: Annotated[
        Path | None,
        typer.Option(help='The events to compare with: JSON lines of {"id", "value" in base64}.'),
    ] = None,
    home: Home = DEFAULT_HOME,
    *,
    as_json: AsJson = False,
) -> None:
    """Say whether a certificate or a bundle is genuine: exit 0 if it is, 1 if not, 2 if that cannot be told."""
    from deploy.cli.bundle_views import check_file, is_bundle, show_checked
    from deploy.cli.evidence_views import CannotCheck, check, show_verdict

    keys = jwks or home / "keys" / "public" / "evidence.jwks.json"
    try:
        if is_bundle(file):
            raise typer.Exit(0 if show_checked(check_file(file, keys), as_json=as_json) else 1)
        verdict = check(file, keys, events)
    except CannotCheck as error:
        typer.echo(f"habeas: {error}", err=True)
        raise typer.Exit(2) from None
    show_verdict(verdict, as_json=as_json)
    raise typer.Exit(0 if verdict.genuine else 1)


@app.command(epilog="Example: habeas evidence addenda 0199c0de-7000-7000-8000-00000000c0de")
def addenda(
    request: Annotated[UUID, typer.Argument(help="The closed request's id.")],
    *,
    url: Url = None,
    home: Home = DEFAULT_HOME,
    as_json: AsJson = False,
) -> None:
    """Tell what was found after a request was closed, each by a signed addendum to its certificate."""
    from deploy.cli.addendum_views import judge_addenda, show_addenda
    from deploy.cli.certificates import fetch_addenda
    from deploy.cli.evidence_views import CannotCheck

    try:
        tokens = fetch_addenda(request, url, home)
        judged = judge_addenda(tokens, home / "keys" / "public" / "evidence.jwks.json")
    except CannotCheck as error:
        typer.echo(f"habeas: {error}", err=True)
        raise typer.Exit(2) from None
    show_addenda(judged, as_json=as_json)
    raise typer.Exit(1 if any(isinstance(one, str) for one in judged) else 0)


AdminUrl = Annotated[
    str | None,
    typer.Option(
        "--database-url",
        envvar="HABEAS_DATABASE_URL",
        help="An administrator's URL of the services' database.",
        show_default="the stack of this home",
    ),
]


@app.command(epilog="Example: habeas evidence bundle 0199c0de-7000-7000-8000-00000000c0de --to proof.zip")
def bundle(  # noqa: PLR0913 - one option for each thing that can be said
    request: Annotated[UUID, typer.Argument(help="The closed request's id.")],
    *,
    to: Annotated[Path, typer.Option(help="Write the bundle here.")],
    url: Url = None,
    database_url: AdminUrl = None,
    home: Home = DEFAULT_HOME,
    as_json: AsJson = False,
) -> None:
    """Collect everything that proves a closed request in one file, for somebody who has the public key alone."""
    from deploy.cli.bundle_views import make_bundle, show_checked
    from deploy.cli.evidence_views import CannotCheck

    try:
        checked = make_bundle(request, to, url, home, database_url)
    except CannotCheck as error:
        typer.echo(f"habeas: {error}", err=True)
        raise typer.Exit(2) from None
    genuine = show_checked(checked, as_json=as_json)
    if not as_json:
        typer.echo(f"The bundle is in {to}.")
    raise typer.Exit(0 if genuine else 1)


Anchors = Annotated[
    list[str],
    typer.Option(
        "--anchors",
        envvar="HABEAS_ANCHORS",
        metavar="PLACE",
        help="A folder, or s3://bucket/prefix with object lock; may be given more than once. Best where nobody who "
        "runs the database can write.",
    ),
]
DEFAULT_ANCHORS = [".habeas/anchors"]
THREE_YEARS = 1_096


@app.command(
    epilog="Examples, once a day:\n\nhabeas evidence anchor --anchors /mnt/elsewhere/anchors\n\n"
    "habeas evidence anchor --anchors s3://evidence/cascadia --timestamp-url http://timestamp.example/tsr"
)
def anchor(  # noqa: PLR0913 - one option for each thing that can be said
    anchors: Anchors = DEFAULT_ANCHORS,
    database_url: AdminUrl = None,
    home: Home = DEFAULT_HOME,
    *,
    lock_days: Annotated[
        int, typer.Option(min=1, help="How long a bucket keeps the anchor, whoever wants it gone.")
    ] = THREE_YEARS,
    timestamp_url: Annotated[
        str | None,
        typer.Option(
            envvar="HABEAS_TIMESTAMP_URL", help="An RFC 3161 authority that stamps it with the time."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Sign the ends of all audit chains, so that a history that is written anew later is found."""
    import asyncio

    from deploy.cli.chain_views import Where, anchored, told_anchor

    where = Where(home, anchors, database_url, lock_days)
    with proving():
        made, count = asyncio.run(anchored(where, timestamp_url))
    told_anchor(made, count, where, as_json=as_json)


@app.command(
    epilog="Examples:\n\nhabeas evidence audit\n\n"
    "habeas evidence audit --anchors /mnt/elsewhere/anchors --within-hours 36 --no-events --json"
)
def audit(  # noqa: PLR0913 - one option for each thing that can be said
    anchors: Anchors = DEFAULT_ANCHORS,
    database_url: AdminUrl = None,
    home: Home = DEFAULT_HOME,
    *,
    events: Annotated[
        bool, typer.Option(help="Compare with what the services' events said of their histories.")
    ] = True,
    within_hours: Annotated[
        int | None, typer.Option(min=1, help="Also find it wrong if no anchor was made for so long.")
    ] = None,
    timestamp_roots: Annotated[
        Path | None,
        typer.Option(
            envvar="HABEAS_TIMESTAMP_ROOTS", help="Check time stamps: the authorities' roots, as PEM."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check every service's history: exit 0 if it is as it was written, 1 if not, 2 if that cannot be told."""
    import asyncio

    from deploy.cli.chain_views import Wanted, Where, audited, told_audit

    wanted = Wanted(events, within_hours, timestamp_roots)
    with proving():
        report = asyncio.run(audited(Where(home, anchors, database_url), wanted))
    told_audit(report, as_json=as_json)
    raise typer.Exit(1 if report.findings else 0)


@contextmanager
def proving() -> Iterator[None]:
    """What keeps anything from being proved is a sentence, and exit 2."""
    from deploy.chains.anchors import AnchorRefused
    from deploy.chains.places import PlaceAway
    from deploy.chains.stamps import NotStamped

    try:
        yield
    except (AnchorRefused, PlaceAway, NotStamped) as error:
        typer.echo(f"habeas: {error}", err=True)
        raise typer.Exit(2) from None
