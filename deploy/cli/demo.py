"""`habeas demo`: the main job end to end, and its proof."""

from pathlib import Path
from typing import Annotated

import typer


def demo(
    requests: Annotated[int, typer.Option(envvar="REQUESTS", help="How many people ask; 11 at least.")] = 40,
    seed: Annotated[int, typer.Option(envvar="SEED", help="Who they are and what they ask.")] = 1,
    broker: Annotated[str, typer.Option(help="auto, kafka or light.")] = "auto",
    home: Annotated[Path, typer.Option(help="Where it lives; emptied first.")] = Path(".habeas/demo"),
    *,
    stay: Annotated[bool, typer.Option("--stay", help="Leave everything running until Ctrl-C.")] = False,
) -> None:
    """Run the whole main job on real servers with a sample business, and prove what was done.

    It starts PostgreSQL, Kafka, a mail catcher and the four services, lets people ask over HTTP and Kafka, moves the
    clock, and checks the outcome by the business's own SQL. The exit code is 0 only if everything was proved.

    Example: habeas demo --requests 40 --seed 7
    """
    from deploy.demo.run import demonstrated
    from deploy.demo.world import Wanted

    if broker not in ("auto", "kafka", "light"):
        raise typer.BadParameter("give auto, kafka or light", param_hint="--broker")
    wanted = Wanted(home.absolute(), requests, seed, broker)  # type: ignore[arg-type]
    raise typer.Exit(0 if demonstrated(wanted, stay=stay) else 1)
