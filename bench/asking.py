"""What the benches of whole lives share at their edges: the words to standard error, where they live and write."""

import argparse
import asyncio
import sys
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any

from bench import page


def say(sentence: str) -> None:
    """Tell whoever watches; standard output is for the line alone."""
    print(sentence, file=sys.stderr, flush=True)


def measure(
    title: str,
    bench: Callable[[argparse.Namespace], Coroutine[Any, Any, Mapping[str, Any]]],
    parser: argparse.ArgumentParser,
) -> None:
    """Run a bench as the command line asks; print its line, and write the page if one was asked for."""
    parser.add_argument("--home", type=Path, default=Path(".habeas/bench"), help="where it lives; emptied")
    parser.add_argument("--page", type=Path, default=None, help="where to write the figures")
    given = parser.parse_args()
    page.keep(given.page, title, asyncio.run(bench(given)))
