"""Writes docs/proof/asyncapi.md from what the AsyncAPI project's own parser says: `make asyncapi`."""

import json
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

PAGE = Path("docs/proof/asyncapi.md")
HEAD = """\
# What the AsyncAPI project's own parser says of our documents

@asyncapi/parser {version} on Node.js, run by `make asyncapi`, and by `tests/contracts/events/test_asyncapi_parser.py`
wherever `npm install @asyncapi/parser` was done in the checkout. The digests are of the documents that it read last.

| document | valid | errors | messages | SHA-256 |
|---|---|---|---|---|
"""


def page(said: list[dict[str, Any]]) -> str:
    """The page, of one line for each document."""
    lines = [
        f"| {one['file']} | {'yes' if one['valid'] else 'no'} | {len(one['errors'])} | {one['messages']}"
        f" | `{sha256(Path(one['file']).read_bytes()).hexdigest()[:16]}…` |"
        for one in said
    ]
    return HEAD.format(version=said[0]["parser"]) + "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page([json.loads(line) for line in sys.stdin]))
