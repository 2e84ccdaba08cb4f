"""`habeas systems new`: the files from which a connected system starts, ready to be finished by a person."""

import json
import re
from keyword import iskeyword
from pathlib import Path
from typing import Annotated

import typer

_CONNECTORS = Path(__file__).parent.parent / "connectors"
_DRAFTS = Path(__file__).parent.parent / "drafts"
_BLANK = Path(__file__).parent.parent / "connectors" / "blank"
_NEW_KIND = Path(__file__).parent.parent / "new_kind"
_SOURCE = Path(__file__).parent.parent.parent
EPILOG = (
    "Examples: habeas systems new http newsletter --connector mailchimp; habeas systems new objects lead-lists;"
    " habeas systems new ledger old-ledger --new-kind"
)


def new(  # noqa: PLR0913 - one option for each thing that can be said
    kind: Annotated[
        str, typer.Argument(help="The kind of system: http, or one of deploy/drafts, such as objects.")
    ],
    name: Annotated[str, typer.Argument(help="What the system will be called, such as newsletter.")],
    *,
    connector: Annotated[
        str | None, typer.Option(help="Begin with a connector that is shipped, such as mailchimp.")
    ] = None,
    business: Annotated[str | None, typer.Option(help="Whose system it is; the settings' if unset.")] = None,
    new_kind: Annotated[
        bool,
        typer.Option("--new-kind", help="KIND is new: also write its adapter and the tests to begin with."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Write the YAML files from which a system starts; nothing is overwritten."""
    from services.fulfillment.settings import FulfillmentSettings
    from shared.settings import Settings

    _refuse(kind, name, connector, new_kind=new_kind)
    folder = FulfillmentSettings().systems
    owner = business or Settings().business or "your-business"
    texts = _texts(name, connector, owner) if kind == "http" else _drafted(kind, name, owner)
    code = _code(kind) if new_kind else {}
    files = {**code, **{folder / place: text for place, text in texts.items()}}
    _write(files)
    _show(name, folder, files, texts, as_json=as_json)


def _show(name: str, folder: Path, files: dict[Path, str], texts: dict[str, str], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"system": name, "files": [str(file) for file in files]}))
        return
    typer.echo("\n".join(map(str, files)))
    typer.echo(f"{_next(texts[f'{name}.yaml'], folder / f'{name}.yaml')}, then: habeas systems check {name}")


def _next(text: str, file: Path) -> str:
    """What a person does with the system file; those of a system that only a person reaches need no secret."""
    needed = [line for line in text.splitlines() if "secrets/" in line and not line.lstrip().startswith("#")]
    return f"Put the secrets where {file} says" if needed else f"Finish {file}: each ? is a question to you"


def _write(files: dict[Path, str]) -> None:
    if there := [file for file in files if file.exists()]:
        typer.echo(f"NAME: {there[0]} is there already; choose another name.", err=True)
        raise typer.Exit(2)
    for file, text in files.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


def _refuse(kind: str, name: str, connector: str | None, *, new_kind: bool) -> None:
    shipped = sorted(file.stem for file in _CONNECTORS.glob("*.yaml"))
    problem = None
    drafted = sorted(file.name for file in _DRAFTS.iterdir())
    if new_kind:
        problem = _why_no_new(kind)
    elif kind not in {"http", *drafted}:
        problem = (
            f"KIND: this command knows http, {', '.join(drafted)}; habeas systems import drafts a database's map;"
            " --new-kind begins an adapter."
        )
    if problem is None and kind != "http" and connector is not None:
        problem = "--connector: only systems over http have one."
    elif problem is None and not re.fullmatch(r"[a-z][a-z0-9-]*", name):
        problem = "NAME: write it in small letters, digits and -, and begin with a letter."
    elif problem is None and connector is not None and connector not in shipped:
        problem = f"--connector: there is no {connector}; shipped: {', '.join(shipped)}."
    if problem is not None:
        typer.echo(problem, err=True)
        raise typer.Exit(2)


def _why_no_new(kind: str) -> str | None:
    from services.fulfillment.datamap.systems import known_kinds

    if kind in known_kinds():
        return f"KIND: {kind} is there already; leave --new-kind out."
    if not re.fullmatch(r"[a-z][a-z0-9_]*", kind) or iskeyword(kind):
        return "KIND: it names a Python package: write it in small letters, digits and _, and begin with a letter."
    if not (_SOURCE / "tests" / "contracts").is_dir():
        return "--new-kind: an adapter is written in a checkout of the source, where its tests are."
    return None


def _code(kind: str) -> dict[Path, str]:
    """The adapter's file and its folder of tests."""
    called = "".join(part.capitalize() for part in kind.split("_"))
    places = {
        "adapter": _SOURCE / "services" / "fulfillment" / "adapters" / kind / "__init__.py",
        "test": _SOURCE / "tests" / "contracts" / kind / f"test_{kind}.py",
    }
    files = {}
    for name, place in places.items():
        text = (_NEW_KIND / f"{name}.py.txt").read_text(encoding="utf-8")
        files[place] = text.replace("CLASS", called).replace("KIND", kind)
    return files


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
    folder = _DRAFTS / kind if (_DRAFTS / kind).is_dir() else _NEW_KIND
    texts = {place: (folder / f"{place}.yaml").read_text(encoding="utf-8") for place in ("system", "dataset")}
    filled = {
        place: text.replace("NAME_KEY", name.replace("-", "_"))
        .replace("NAME", name)
        .replace("KIND", kind)
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
        # A product's name, which is the same in every language.
        f"system: {name}\ntitle: {stated.title}\ntitles: {{es: {stated.title}}}\nkind: http\nbusiness: {business}\n"
        + ("" if stated.base_url else f"url: {{file: secrets/{name}.url}}\n")
        + f"connector: connectors/{name}.yaml\n"
        + (f"secrets:\n{secrets}" if secrets else "")
        + (f"settings:\n{settings}" if settings else "")
        + f"dataset: datasets/{name}.yaml\nparty: service_provider\n"
    )
