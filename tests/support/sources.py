"""The checkout as text and syntax trees, for the tests that look at how it is built."""

import ast
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CODE = ("services", "shared", "deploy")
PROOF = ("tests", "bench", "examples")


@dataclass(frozen=True, slots=True)
class Source:
    """One Python file; `path` is relative to the checkout."""

    path: Path
    text: str

    @property
    def name(self) -> str:
        return self.path.as_posix()

    @property
    def tree(self) -> ast.Module:
        return _tree(self.name, self.text)


@dataclass(frozen=True, slots=True)
class Function:
    """One function or method, by its file and dotted name."""

    place: str
    lines: int
    node: ast.FunctionDef | ast.AsyncFunctionDef


@cache
def sources(*rooms: str) -> tuple[Source, ...]:
    """Every Python file in these top folders."""
    found = (path for room in rooms for path in sorted((ROOT / room).rglob("*.py")))
    return tuple(Source(path.relative_to(ROOT), path.read_text("utf-8")) for path in found)


@cache
def functions(source: Source) -> tuple[Function, ...]:
    """Every function of a file, methods and inner ones too."""
    return tuple(_functions(source.name, source.tree, ""))


@cache
def calls(source: Source) -> frozenset[str]:
    """Every name that a file calls, as it is written: `broker.subscriber`, `sleep`."""
    called = (node.func for node in ast.walk(source.tree) if isinstance(node, ast.Call))
    return frozenset(ast.unparse(one) for one in called if isinstance(one, ast.Name | ast.Attribute))


@cache
def imports(source: Source) -> frozenset[str]:
    """Every module that a file imports, wherever in it."""
    nodes = tuple(ast.walk(source.tree))
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    return frozenset(
        plain | {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module}
    )


@cache
def tracked() -> tuple[Path, ...]:
    """Every file that git keeps; in a copy without git, every file outside the hidden and built folders."""
    listing = subprocess.run(  # noqa: S603 - a fixed command
        ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z"],  # noqa: S607 - the developer's own git
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listing.returncode == 0 and listing.stdout:
        names = [Path(name) for name in listing.stdout.split("\0") if name]
        return tuple(name for name in names if (ROOT / name).is_file())
    everything = (path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file())
    return tuple(path for path in everything if not _built(path))


def _built(path: Path) -> bool:
    return any(part in {".git", ".venv", ".habeas", "__pycache__"} or "cache" in part for part in path.parts)


@cache
def _tree(name: str, text: str) -> ast.Module:
    return ast.parse(text, name)


def _functions(file: str, node: ast.AST, within: str) -> Iterator[Function]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            name = f"{within}{child.name}"
            yield Function(f"{file}:{name}", (child.end_lineno or child.lineno) - child.lineno + 1, child)
            yield from _functions(file, child, f"{name}.")
        elif isinstance(child, ast.ClassDef):
            yield from _functions(file, child, f"{within}{child.name}.")
        else:
            yield from _functions(file, child, within)
