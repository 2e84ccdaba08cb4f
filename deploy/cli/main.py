"""The door of the command `habeas`: one line for each group of commands.

Groups are imported at every start, so their files import heavy libraries inside the commands that need them.
"""

import logging

import typer

from deploy.cli import (
    dead_letters,
    deadlines,
    decisions,
    demo,
    events,
    evidence,
    holds,
    keys,
    letters,
    notices,
    operations,
    package,
    policy,
    report,
    requests,
    restore,
    resync,
    retention,
    stack,
    suppression,
    system_coverage,
    system_drafts,
    system_new,
    systems,
    vendors,
)

app = typer.Typer(
    name="habeas",
    help="Privacy requests: verified, fulfilled, on time, proved.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
)
app.add_typer(stack.app, name="stack")
app.add_typer(deadlines.app, name="deadlines")
app.add_typer(policy.app, name="policy")
app.add_typer(keys.app, name="keys")
systems.app.command("import", epilog=system_drafts.EPILOG)(system_drafts.import_)
systems.app.command("coverage", epilog=system_coverage.EPILOG)(system_coverage.coverage)
systems.app.command("new", epilog=system_new.EPILOG)(system_new.new)
app.add_typer(systems.app, name="systems")
app.add_typer(suppression.app, name="suppression")
app.add_typer(vendors.app, name="vendors")
app.add_typer(events.app, name="events")
app.add_typer(evidence.app, name="evidence")
app.add_typer(package.app, name="package")
app.add_typer(requests.app, name="request")
app.add_typer(letters.app, name="letters")
app.add_typer(restore.app, name="restore")
app.add_typer(report.app, name="report")
app.add_typer(notices.app, name="notices")
app.add_typer(dead_letters.app, name="dead-letters")
app.add_typer(decisions.app, name="decide")
app.add_typer(holds.app, name="holds")
app.add_typer(retention.app, name="retention")
app.add_typer(operations.topics, name="topics")
app.add_typer(operations.clock, name="clock")
app.command("migrate")(operations.migrate)
app.command("serve")(operations.serve)
app.command("recover")(operations.recover)
app.command("demo")(demo.demo)
app.command("resync")(resync.resync)


def main() -> None:
    # Without a handler of its own the Kafka client prints each failed try, beside the one sentence that counts.
    logging.getLogger("aiokafka").addHandler(logging.NullHandler())
    try:
        app()
    except Exception as error:
        from deploy.cli.refusals import sentence

        said = sentence(error)
        if said is None:
            raise
        typer.echo(f"habeas: {said}", err=True)
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
