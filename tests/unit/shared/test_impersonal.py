"""What commands carry in clear names nobody: sealed, of a fixed form, or looked at for addresses and numbers."""

from collections.abc import Iterator
from typing import Any, get_args, get_origin
from uuid import uuid4

import pytest
from pydantic import StringConstraints, ValidationError

from deploy.cli.refusals import sentence
from shared.events.commands import ExtendDeadline, PlaceHold, RequestSubmitted, RetryTask
from shared.events.message import CATALOGUE, Body, Command
from shared.privacy import IMPERSONAL, SealedField

COMMANDS = [one.model for one in CATALOGUE.values() if issubclass(one.model, Command)]
# Claims in clear are refused, and not kept until then: tests/machine/shell/test_dead_letters.py.
ENCRYPTED = {(RequestSubmitted, "claims")}
PERSONAL = "asked by ann.lee@example.com"


def free_texts(annotation: Any, marks: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    """The marks of each text in a field's type."""
    if annotation is str:
        yield marks
    for part in get_args(annotation):
        yield from free_texts(part, getattr(annotation, "__metadata__", ()) or marks)


def is_harmless(marks: tuple[Any, ...]) -> bool:
    fixed = any(isinstance(mark, StringConstraints) and mark.pattern is not None for mark in marks)
    return fixed or IMPERSONAL in marks or any(isinstance(mark, SealedField) for mark in marks)


@pytest.mark.parametrize("model", COMMANDS, ids=lambda model: model.__name__)
def test_no_text_of_a_command_can_hold_an_address(model: type[Body]) -> None:
    texts = {
        name: marks
        for name, field in model.model_fields.items()
        for marks in free_texts(field.annotation, tuple(field.metadata))
        if (model, name) not in ENCRYPTED and get_origin(field.annotation) is not dict
    }

    assert {name for name, marks in texts.items() if not is_harmless(marks)} == set()


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: PlaceHold(hold_id=uuid4(), actor="jdoe", reason=PERSONAL), "reason"),
        (lambda: ExtendDeadline(reasons=("many records", PERSONAL), actor="jdoe"), "reasons.1"),
        (lambda: RetryTask(task="act:crm:delete", actor="jdoe", reason="call +1 202 555 0123"), "reason"),
        (lambda: RetryTask(task=PERSONAL, actor="jdoe", reason="mended"), "task"),
        (lambda: PlaceHold(hold_id=uuid4(), actor="2025550123", reason="a duty"), "actor"),
    ],
)
def test_what_staff_type_is_refused_by_the_name_of_its_field(make: Any, field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        make()

    said = sentence(refused.value) or ""
    assert said.startswith(f"Nothing was sent ({field}: holds what looks like an e-mail address")
    assert "ann.lee" not in said + str(refused.value)
    assert "555" not in said + str(refused.value)


def test_a_case_number_is_a_good_reason() -> None:
    assert PlaceHold(hold_id=uuid4(), actor="jdoe", reason="litigation 24-118").reason == "litigation 24-118"
