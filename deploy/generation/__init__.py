"""Everything that is written from the catalogue: schemas, AsyncAPI, reference pages and the map.

Generated files are committed, so that a reviewer sees a contract change as a diff; `make verify` compares them.
"""

from collections.abc import Mapping
from pathlib import Path

from deploy.generation import asyncapi, events, law, metrics, schemas, settings, spans, system_map, topics


def render(root: Path) -> Mapping[Path, str]:
    """Every generated file, by its path in the checkout; `root` gives the pages of which only a part is generated."""
    reference = Path("docs/reference")
    return {
        **schemas.render(),
        **{Path("deploy/schemas") / view.file: asyncapi.render(view) for view in asyncapi.VIEWS},
        reference / "events.md": events.render(),
        reference / "topics.md": topics.render(),
        reference / "metrics.md": metrics.render(),
        reference / "spans.md": spans.render(),
        reference / "settings.md": settings.render(),
        law.PAGE: law.render((root / law.PAGE).read_text("utf-8")),
        system_map.PAGE: system_map.render((root / system_map.PAGE).read_text("utf-8")),
    }
