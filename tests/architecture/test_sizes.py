"""A reader takes in half a screen at a time: what is longer has to say why."""

from tests.support.sources import CODE, PROOF, functions, sources

FILE_LINES = 300
TEST_FILE_LINES = 400
FUNCTION_LINES = 30

LONG_FUNCTIONS: dict[str, str] = {
    # "path:Class.function": "why it reads better in one piece"
    "deploy/cli/requests.py:collect": "most of it declares the options, one for each file that may be given",
    "deploy/cli/requests.py:submit": "most of it declares the options, one for each thing that a request can say",
}


def test_no_file_is_longer_than_the_wall() -> None:
    code = {one.name: one.text.count("\n") for one in sources(*CODE)}
    proof = {one.name: one.text.count("\n") for one in sources(*PROOF)}

    longest = sorted(code.items(), key=lambda item: -item[1])[:10]
    print("the ten longest files:", *(f"{lines:4} {name}" for name, lines in longest), sep="\n")  # noqa: T201 - shown when the test fails

    assert {name: lines for name, lines in code.items() if lines > FILE_LINES} == {}
    assert {name: lines for name, lines in proof.items() if lines > TEST_FILE_LINES} == {}


def test_a_function_over_thirty_lines_has_its_reason_here() -> None:
    found = [one for source in sources(*CODE) for one in functions(source)]

    long = {one.place: one.lines for one in found if one.lines > FUNCTION_LINES}

    assert long.keys() == LONG_FUNCTIONS.keys(), f"over {FUNCTION_LINES} lines: {long}"


def test_nine_functions_in_ten_are_under_twenty_lines() -> None:
    lines = sorted(one.lines for source in sources(*CODE) for one in functions(source))

    assert lines[len(lines) * 9 // 10] <= 20
    assert lines[len(lines) // 2] <= 10
