"""Our AsyncAPI documents are valid by the AsyncAPI project's own parser, where Node.js and the parser are at hand.

`npm install @asyncapi/parser` in the checkout, or HABEAS_NODE_MODULES naming a folder that has it.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("asyncapi.mjs")
DOCUMENTS = sorted(Path("deploy/schemas").glob("*asyncapi.yaml"))
MODULES = Path(os.environ.get("HABEAS_NODE_MODULES", "node_modules")).resolve()
NODE = shutil.which("node")


@pytest.mark.skipif(
    NODE is None or not (MODULES / "@asyncapi" / "parser").is_dir(),
    reason="needs Node.js and @asyncapi/parser; what it said last is in docs/proof/asyncapi.md",
)
def test_every_document_is_valid_by_the_projects_own_parser() -> None:
    command = [str(NODE), str(SCRIPT), str(MODULES), *map(str, DOCUMENTS)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own script

    said = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one["file"] for one in said] == [str(document) for document in DOCUMENTS], done.stderr
    assert [one["errors"] for one in said] == [[]] * 3
    assert all(one["valid"] and one["messages"] for one in said)
