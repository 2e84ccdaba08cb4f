"""What may be done in one place only: reading the clock, subscribing, catching everything, waiting."""

import ast
import re
from collections.abc import Iterator

from tests.support.sources import CODE, PROOF, Function, calls, functions, imports, sources

BROAD = {"Exception", "BaseException"}
SWALLOWS_EVERYTHING = {
    # "path:Class.function": "why nothing narrower will do"
    "shared/machine/shell.py:Shell.handle": "a bug on one message becomes a dead letter, or its partition would stop",
    "shared/tasks/permits.py:Permits.__call__": "one case with a bug must not keep every other task from its claim",
    "shared/gathering.py:Gathering._run": "the error is handed to everybody who waits for that batch",
    "shared/tasks/runner.py:Runner._answer": "a handler's bug is an end like any other: tried again, then a person's",
    "shared/background.py:Loop._run": "a loop outlives the bug of one turn, which is logged and counted",
    "shared/hosting.py:_within": "a step of the shutdown that fails must not keep the next from being taken",
    "deploy/cli/systems.py:_checked": "one adapter's bug keeps no other system from being heard",
    "deploy/local/jar_download.py:gather": "jgo and its HTTP library raise many kinds, each meaning: not by this way",
}
READS_THE_CLOCK = {
    "datetime.now", "datetime.utcnow", "datetime.today", "date.today", "datetime.datetime.now", "datetime.date.today",
    "time.time", "time.time_ns",
}  # fmt: skip
MAKES_RANDOMNESS = {
    "uuid4",
    "uuid7",
    "uuid.uuid4",
    "new_id",
    "random.random",
    "secrets.token_bytes",
    "os.urandom",
}
PURE = re.compile(
    r"(collections|dataclasses|datetime|enum|functools|hashlib|itertools|operator|re|typing|uuid|pydantic)\b"
    r"|shared\.(addendum|canonical|events|evidence|machine\.decision|policy|privacy)\b"
    # Intake's own message bodies, shapes without behaviour.
    r"|services\.\w+\.domain\b|services\.intake\.(messages|submission)$"
)
WALL_CLOCKS = {
    "shared/clock.py": "the one reading",
    "deploy/local/mail.py": "the mail catcher plays a foreign server, which has a clock of its own",
}
WAITS = {"tests/support/eventually.py"}


def test_only_the_clock_reads_the_wall_clock() -> None:
    assert _callers(READS_THE_CLOCK, *CODE) == WALL_CLOCKS.keys()


def test_no_rule_makes_its_own_ids_or_randomness() -> None:
    pure = {one for one in _callers(MAKES_RANDOMNESS, "services") if "/domain" in one}

    assert pure == set()


def test_a_rule_imports_only_what_is_pure() -> None:
    rules = [one for one in sources("services") if "/domain" in one.name]

    reached = {(one.name, name) for one in rules for name in imports(one) if not PURE.match(name)}

    assert reached == set()


def test_only_messaging_makes_a_subscriber() -> None:
    makers = {one.name for one in sources(*CODE) for name in calls(one) if name.endswith(".subscriber")}

    assert makers == {"shared/messaging.py"}


def test_no_test_sleeps() -> None:
    sleepers = {one.name for one in sources(*PROOF) for name in calls(one) if name.split(".")[-1] == "sleep"}

    assert sleepers <= WAITS


def test_what_meets_kafka_meets_the_real_one() -> None:
    pretend = "Test" + "KafkaBroker"  # spelled apart, or this file would find itself

    found = [one.name for one in sources("tests") if pretend in one.text]

    assert found == []


def test_what_swallows_every_error_is_listed_with_its_reason() -> None:
    found = {one.place for source in sources(*CODE) for one in functions(source) if _catches_everything(one)}

    assert found == SWALLOWS_EVERYTHING.keys()


def test_no_broad_except_stands_outside_a_function() -> None:
    found = [one.name for one in sources(*CODE) if any(_broad(node) for node in one.tree.body)]

    assert found == []


def _callers(names: set[str], *rooms: str) -> set[str]:
    return {source.name for source in sources(*rooms) for name in calls(source) if name in names}


def _catches_everything(function: Function) -> bool:
    return any(_broad(node) for node in _own(function.node))


def _own(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a function without those of functions inside it."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield child
            yield from _own(child)


def _broad(node: ast.AST) -> bool:
    if isinstance(node, ast.ExceptHandler):
        passes_on = isinstance(node.body[-1], ast.Raise)
        return not passes_on and (node.type is None or _names_everything(node.type))
    if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("suppress"):
        return any(_names_everything(argument) for argument in node.args)
    return False


def _names_everything(node: ast.expr) -> bool:
    return bool(BROAD & {one.id for one in ast.walk(node) if isinstance(one, ast.Name)})
