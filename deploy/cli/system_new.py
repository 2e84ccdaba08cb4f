"""`habeas systems new`: the files from which a connected system starts, ready to be finished by a person."""

import re
from pathlib import Path
from typing import Annotated

import typer

_CONNECTORS = Path(__file__).parent.parent / "connectors"
_DRAFTS = Path(__file__).parent.parent / "drafts"
_BLANK = Path(__file__).parent.parent / "connectors" / "blank"
EPILOG = "Examples: habeas systems new http newsletter --connector mailchimp; habeas systems new objects lead-lists"


def new(
    kind: Annotated[
        str, typer.Argument(help="The kind of system: http, or one of deploy/drafts, such as objects.")
    ],
    name: Annotated[str, typer.Argument(help="What the system will be called, such as newsletter.")],
    *,
    connector: Annotated[
        str | None, typer.Option(help="Begin with a connector that is shipped, such as mailchimp.")
    ] = None,
    business: Annotated[str | None, typer.Option(help="Whose system it is; the settings' if unset.")] = None,
) -> None:
    """Write the YAML files from which a system starts; nothing is overwritten."""
    from services.fulfillment.settings import FulfillmentSettings
    from shared.settings import Settings

    _refuse(kind, name, connector)
    folder = FulfillmentSettings().systems
    owner = business or Settings().business or "your-business"
    texts = _texts(name, connector, owner) if kind == "http" else _drafted(kind, name, owner)
    files = {folder / place: text for place, text in texts.items()}
    if there := [file for file in files if file.exists()]:
        typer.echo(f"NAME: {there[0]} is there already; choose another name.", err=True)
        raise typer.Exit(2)
    for file, text in files.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        typer.echo(str(file))
    typer.echo(f"Put the secrets where {folder / f'{name}.yaml'} says, then: habeas systems check {name}")


def _refuse(kind: str, name: str, connector: str | None) -> None:
    shipped = sorted(file.stem for file in _CONNECTORS.glob("*.yaml"))
    problem = None
    drafted = sorted(file.name for file in _DRAFTS.iterdir())
    if kind not in {"http", *drafted}:
        problem = f"KIND: this command knows http, {', '.join(drafted)}; habeas systems import drafts a database's map."
    elif kind != "http" and connector is not None:
        problem = "--connector: only systems over http have one."
    elif not re.fullmatch(r"[a-z][a-z0-9-]*", name):
        problem = "NAME: write it in small letters, digits and -, and begin with a letter."
    elif connector is not None and connector not in shipped:
        problem = f"--connector: there is no {connector}; shipped: {', '.join(shipped)}."
    if problem is not None:
        typer.echo(problem, err=True)
        raise typer.Exit(2)


def _texts(name: str, connector: str | None, business: str) -> dict[str, str]:
    """What is written, by its place in the folder of systems."""
    ours = connector or "blank"
    folder = _CONNECTORS if connector else _BLANK
    return {
        f"{name}.yaml": _system(name, folder / f"{ours}.yaml", business),
        f"connectors/{name}.yaml": (folder / f"{ours}.yaml").read_text(encoding="utf-8"),
        f"datasets/{name}.yaml": (folder / "maps" / f"{ours}.yaml").read_text(encoding="utf-8"),
    }


def _drafted(kind: str, name: str, business: str) -> dict[str, str]:
    """A draft of each file, with the names filled in."""
    texts = {
        place: (_DRAFTS / kind / f"{place}.yaml").read_text(encoding="utf-8")
        for place in ("system", "dataset")
    }
    filled = {
        place: text.replace("NAME_KEY", name.replace("-", "_"))
        .replace("NAME", name)
        .replace("BUSINESS", business)
        for place, text in texts.items()
    }
    return {f"{name}.yaml": filled["system"], f"datasets/{name}.yaml": filled["dataset"]}


def _system(name: str, file: Path, business: str) -> str:
    from services.fulfillment.adapters.http.reading import load_connector

    stated = load_connector(file)
    secrets = "".join(f"  {each}: {{file: secrets/{name}.{each}}}\n" for each in sorted(stated.secrets()))
    settings = "".join(f'  {each}: ""  # {meaning}\n' for each, meaning in stated.settings.items())
    return (
        f"system: {name}\ntitle: {stated.title}\nkind: http\nbusiness: {business}\n"
        + ("" if stated.base_url else f"url: {{file: secrets/{name}.url}}\n")
        + f"connector: connectors/{name}.yaml\n"
        + (f"secrets:\n{secrets}" if secrets else "")
        + (f"settings:\n{settings}" if settings else "")
        + f"dataset: datasets/{name}.yaml\nparty: service_provider\n"
    )
