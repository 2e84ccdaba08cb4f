"""Which Python the virtual environment is made of."""

from pathlib import Path

import pytest

from deploy import interpreter

PYTHON = """#!/bin/sh
case "$1" in -c) exit {usable};; *) printf {took};; esac
"""


def python(folder: Path, name: str, *, took: int, usable: bool = True) -> str:
    """A program that says that the work took so long."""
    program = folder / name
    program.write_text(PYTHON.format(usable=0 if usable else 1, took=took))
    program.chmod(0o755)
    return str(program)


def test_a_python_that_is_much_faster_is_taken_and_why_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, other = python(tmp_path, "first", took=1300), python(tmp_path, "other", took=1000)

    code = interpreter.main([first, other])

    said = capsys.readouterr()
    assert (code, said.out) == (0, f"{other}\n")
    assert "1.3 times" in said.err


def test_the_first_is_taken_when_another_is_hardly_faster(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, other = python(tmp_path, "first", took=1100), python(tmp_path, "other", took=1000)

    code = interpreter.main([first, other])

    assert (code, *capsys.readouterr()) == (0, f"{first}\n", "")


def test_what_cannot_run_habeas_is_passed_by(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old, there = python(tmp_path, "old", took=1, usable=False), python(tmp_path, "there", took=1000)

    code = interpreter.main(["absent-python", old, there])

    assert (code, capsys.readouterr().out) == (0, f"{there}\n")


def test_none_is_named_when_none_can_run_habeas(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old = python(tmp_path, "old", took=1, usable=False)

    code = interpreter.main([old])

    assert (code, capsys.readouterr().out) == (1, "")


def test_the_work_is_done_and_timed_here() -> None:
    assert interpreter.work() > 0
