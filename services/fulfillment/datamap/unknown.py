"""Settings and secrets of a system file that its kind does not know: one that is misspelt would go unheard."""

from collections.abc import Collection, Iterator

from services.fulfillment.datamap.remedies import instead
from services.fulfillment.datamap.systems import System


def unknown_names(
    system: System, *, settings: Collection[str] = (), secrets: Collection[str] = ()
) -> Iterator[str]:
    """Each with what was meant, or with all that are known."""
    for name in sorted(set(system.settings) - set(settings)):
        yield f"settings.{name}: unknown; {instead(name, settings, 'known')}"
    for name in sorted(set(system.secrets) - set(secrets)):
        yield f"secrets.{name}: unknown; {instead(name, secrets, 'known')}"
