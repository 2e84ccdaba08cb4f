"""`habeas keys`: make, rotate and look at the key files; wrap the vault's keys again after a rotation."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Make, rotate and look at the keys.", no_args_is_help=True)


class Key(StrEnum):
    kek = "kek"
    lookup = "lookup"
    request_secret = "request-secret"  # noqa: S105 - the key's name
    submissions = "submissions"
    evidence = "evidence"
    answers = "answers"
    directives = "directives"
    cli = "cli"


class Signing(StrEnum):
    """Keys whose signatures bear a date of their own."""

    evidence = "evidence"


Home = Annotated[
    Path, typer.Option("--home", envvar="HABEAS_HOME", help="The folder above `keys` and `secrets`.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
DEFAULT_HOME = Path(".habeas")


@app.command(epilog="Example: habeas keys init --home .habeas")
def init(home: Home = DEFAULT_HOME, *, as_json: AsJson = False) -> None:
    """Make the key files that are missing; what is there stays as it is."""
    from shared.keyfiles import init_keys

    with _refusals():
        made = init_keys(home / "keys")
    if as_json:
        typer.echo(json.dumps({"made": made}))
    else:
        typer.echo(f"Made: {', '.join(made)}." if made else "Every key is there already.")


@app.command(epilog="Example: habeas keys rotate kek && habeas keys rewrap")
def rotate(
    key: Annotated[Key, typer.Argument(help="Which key.")],
    home: Home = DEFAULT_HOME,
    *,
    as_json: AsJson = False,
) -> None:
    """Put a new version of a key in front; older versions stay for what was made with them."""
    from shared.keyfiles import rotate_key

    with _refusals():
        rotate_key(home / "keys", key.value)
    if as_json:
        typer.echo(json.dumps({"rotated": key.value}))
    else:
        typer.echo(f"{key.value}: a new version is in use{_what_next(key)}.")


# A version may begin with a hyphen.
@app.command(
    context_settings={"ignore_unknown_options": True}, epilog="Example: habeas keys retire evidence 2yQ0…"
)
def retire(
    key: Annotated[Signing, typer.Argument(help="Which key.")],
    version: Annotated[str, typer.Argument(help="The older version, as `habeas keys show` names it.")],
    home: Home = DEFAULT_HOME,
    *,
    as_json: AsJson = False,
) -> None:
    """Let an older key sign nothing from now on: what it signed before stays proved, what is dated later is refused.

    First restart the services that use it, so that none still signs with it; then publish the public file anew.
    """
    from deploy.cli.key_views import now_of
    from shared.keyfiles import retire_key

    with _refusals():
        retire_key(home / "keys", key.value, version, now_of())
    publish = f"public/{key.value}.jwks.json"
    if as_json:
        typer.echo(json.dumps({"key": key.value, "retired": version, "publish": publish}))
    else:
        typer.echo(f"{key.value}: {version} signs nothing from now on; publish {publish} anew.")


@app.command(epilog="Example: habeas keys show --json")
def show(home: Home = DEFAULT_HOME, *, as_json: AsJson = False) -> None:
    """List the keys' versions, the one in use first; no key material is shown."""
    from deploy.cli.key_views import key_versions, retired_versions

    with _refusals():
        found = key_versions(home / "keys")
        retired = retired_versions(home / "keys")
    if as_json:
        typer.echo(json.dumps(found))
        return
    for name, versions in found.items():
        told = (f"{one} (retired)" if one in retired else one for one in versions)
        typer.echo(f"{name:15} {'  '.join(told)}")


@app.command(epilog="Example: habeas keys rewrap")
def rewrap(home: Home = DEFAULT_HOME, *, as_json: AsJson = False) -> None:
    """Wrap every request's key under the newest version of the key-encryption key."""
    import asyncio

    from deploy.cli.key_views import rewrap_vault

    with _refusals():
        done = asyncio.run(rewrap_vault(home))
    if as_json:
        typer.echo(json.dumps({"rewrapped": done.done, "damaged": [str(one) for one in done.damaged]}))
    else:
        typer.echo(f"{done.done} keys were wrapped again, {len(done.damaged)} could not be opened.")
    if done.damaged:
        raise typer.Exit(1)


def _what_next(key: Key) -> str:
    if key is Key.kek:
        return "; running services use it at once. Next: habeas keys rewrap"
    return "; restart the services that use it"


@contextmanager
def _refusals() -> Iterator[None]:
    from shared.private_files import KeyFileRefused
    from shared.vault.errors import VaultError

    try:
        yield
    except (KeyFileRefused, VaultError, OSError) as error:
        typer.echo(f"habeas: {error}", err=True)
        raise typer.Exit(1) from None
