"""`habeas systems import`: a draft of a map, from a live database's description of itself."""

import json
import re
from pathlib import Path
from typing import Annotated

import typer

EPILOG = (
    "Example: habeas systems import web-shop --url-file .habeas/secrets/shop.url "
    "--to deploy/systems/datasets/web-shop.yaml"
)


def import_(
    name: Annotated[str, typer.Argument(help="What the system will be called, such as web-shop.")],
    url_file: Annotated[
        Path, typer.Option(help="A file, mode 0600, with the database's address: it holds a password.")
    ],
    schema: Annotated[
        str | None, typer.Option(help="The schema in the database; its default one if unset.")
    ] = None,
    to: Annotated[
        Path | None, typer.Option(help="Write the draft here; else it is printed. Nothing is overwritten.")
    ] = None,
    *,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object, with the draft or where it was written.")
    ] = False,
) -> None:
    """Draft a database's map for a person to finish; rows are read only for names inside columns of JSON."""
    _check_name(name)
    _hand_over(_drafted(name, url_file, schema), to, as_json=as_json)


def _drafted(name: str, url_file: Path, schema: str | None) -> str:
    import asyncio

    from services.fulfillment.adapters.sql.drafting import (
        CannotDescribeError,
        NoSuchSchemaError,
        describe,
        draft,
    )
    from shared.private_files import KeyFileRefused, read_private

    try:
        address = read_private(url_file, made_by="writing the address into it").decode().strip()
        return draft(asyncio.run(describe(address, schema)), name.replace("-", "_"))
    except (CannotDescribeError, KeyFileRefused) as error:
        option = "--schema" if isinstance(error, NoSuchSchemaError) else "--url-file"
        typer.echo(f"{option}: {error}.", err=True)
        raise typer.Exit(2) from None


def _check_name(name: str) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9_-]*", name):
        typer.echo("NAME: write it in small letters, digits, - and _, and begin with a letter.", err=True)
        raise typer.Exit(2)


def _hand_over(text: str, to: Path | None, *, as_json: bool) -> None:
    if to is not None:
        _written(text, to)
    if as_json:
        typer.echo(json.dumps({"draft": text} if to is None else {"file": str(to)}))
    elif to is None:
        typer.echo(text, nl=False)
    else:
        typer.echo(f"The draft is in {to}. Finish it: each line marked guessed or ? is a question to you.")


def _written(text: str, to: Path) -> None:
    try:
        with to.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        typer.echo(f"--to: {to} is there already; name another file.", err=True)
        raise typer.Exit(2) from None
    except OSError as error:
        typer.echo(f"--to: {to} cannot be written ({error.strerror}).", err=True)
        raise typer.Exit(2) from None
