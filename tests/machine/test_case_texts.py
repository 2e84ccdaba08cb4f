"""A case is parsed once by the process that wrote or read it, and never taken for another."""

from uuid import UUID

from shared.machine.case_texts import CaseTexts
from tests.support.counting_domain import Count

ONE, OTHER = UUID(int=1), UUID(int=2)


def test_what_was_written_is_not_parsed_again() -> None:
    texts, case = CaseTexts(Count), Count(heard=("a",))

    text = texts.write(ONE, case)

    assert texts.read(ONE, text) is case


def test_what_another_process_wrote_since_is_read_from_its_text() -> None:
    texts = CaseTexts(Count)
    texts.write(ONE, Count(heard=("a",)))

    theirs = Count(heard=("a", "b"))

    assert texts.read(ONE, theirs.model_dump_json()) == theirs


def test_the_same_text_of_two_requests_is_read_for_each() -> None:
    texts, case = CaseTexts(Count), Count(heard=("a",))

    text = texts.write(ONE, case)

    assert texts.read(OTHER, text) == case
    assert texts.read(OTHER, text) is not case


def test_no_more_cases_are_kept_than_were_allowed_and_the_oldest_goes_first() -> None:
    texts, case = CaseTexts(Count, most=1), Count(heard=("a",))

    first = texts.write(ONE, case)
    texts.write(OTHER, case)

    assert texts.read(ONE, first) is not case
