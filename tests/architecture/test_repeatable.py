"""A simulation's seed replays only if the kernel waits for its ports and for nothing else."""

from tests.support.sources import calls, sources

WAITS_BY_ITSELF = {
    "create_task", "ensure_future", "run_coroutine_threadsafe", "to_thread", "run_in_executor", "sleep", "wait_for",
    "timeout", "timeout_at", "Thread", "Timer", "gather", "wait", "TaskGroup",
}  # fmt: skip
KERNEL = (
    "shared/machine/",
    "shared/gathering.py",
    "shared/outbox/relay.py",
    "shared/tasks/",
)
AWAITS_MORE = {
    # What each waits by: all of it is the loop's, which the simulation replaces: order and time are a seed's.
    # Gathers what comes one by one: one task at a time.
    "shared/gathering.py": {"create_task"},
    # Attempts run side by side, each for so long, and are let finish at the end.
    "shared/tasks/runner.py": {"create_task", "timeout", "wait"},
}


def test_the_shell_awaits_ports_only() -> None:
    kernel = [one for one in sources("shared") if one.name.startswith(KERNEL)]

    found = {one.name: {name.rpartition(".")[2] for name in calls(one)} & WAITS_BY_ITSELF for one in kernel}
    waiting = {name: ways for name, ways in found.items() if ways}

    assert len(kernel) > 10
    assert waiting == AWAITS_MORE, f"these wait outside of the ports: {waiting}"


def test_rules_and_the_shell_make_no_randomness_that_a_seed_could_not_give() -> None:
    """`secrets.token_bytes` in the run and `uuid7` in the ids are the two that the simulation replaces."""
    made = {
        (one.name, name)
        for one in sources("shared")
        for name in calls(one)
        if one.name.startswith(("shared/machine/", "shared/tasks/", "shared/outbox/relay"))
        and name.partition(".")[0] in {"secrets", "random", "os", "uuid"}
    }

    assert made == {("shared/machine/run.py", "secrets.token_bytes")}
