"""Renewing the lock file: `python -m deploy.local.relock 4.1.2 > deploy/local/kafka-jars.lock`.

Kafka's own list leaves logging out, so the bridge from its logging interface is added, in the version of the
log4j that Kafka names. Look at the difference before committing it.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from deploy.local.jars import digest

BRIDGES = ("log4j-slf4j-impl", "log4j-1.2-api")
HEAD = """\
# The jars of the embedded Apache Kafka broker: file, group:artifact:version, SHA-256, bytes.
# Renewed by `python -m deploy.local.relock`, see docs/stack.md.
"""


def lines(kafka: str, folder: Path) -> Iterator[str]:
    """One line for each runtime jar of this Kafka version."""
    from jgo.maven import MavenContext

    context = MavenContext(repo_cache=folder, local_repos=[])
    for component in sorted(_components(context, kafka), key=lambda one: str(one.artifactId).lower()):
        path = Path(component.artifact().resolve())
        gav = f"{component.groupId}:{component.artifactId}:{component.version}"
        yield f"{path.name} {gav} {digest(path)} {path.stat().st_size}"


def _components(context: Any, kafka: str) -> Iterator[Any]:
    from jgo.maven import Dependency

    server = context.project("org.apache.kafka", "kafka_2.13").at_version(kafka)
    inputs, others = context.resolver.resolve([Dependency(server.artifact())])
    found = [dependency.artifact.component for dependency in (*inputs, *others)]
    yield from found
    log4j = next(one for one in found if one.artifactId == "log4j-core")
    for bridge in BRIDGES:
        yield context.project(log4j.groupId, bridge).at_version(log4j.version)


def main() -> None:
    parser = argparse.ArgumentParser(description="Print the lock file for a version of Apache Kafka.")
    parser.add_argument("kafka", help="such as 4.1.2")
    with tempfile.TemporaryDirectory() as folder:
        text = "\n".join(lines(parser.parse_args().kafka, Path(folder)))
    sys.stdout.write(f"{HEAD}{text}\n")


if __name__ == "__main__":
    main()
