"""What a MongoDB would be asked, as text and without a value: nothing is connected, but the client must be there."""

from collections.abc import Collection

from services.fulfillment.datamap.model import MapError
from services.fulfillment.datamap.systems import System
from services.fulfillment.rowwise.telling import statements


def statements_of(system: System, kinds: Collection[str]) -> str:
    """Every filter of a search by these kinds, and the changes of a deletion and an opt-out after it.

    Raises:
        MapError: the client library, which knows how ids are written, is not installed.
    """
    try:
        from services.fulfillment.adapters.mongodb.words import MongoWords
    except ModuleNotFoundError:
        needed = f"{system.system}: kind mongodb needs its client: pip install 'habeas[mongodb]'"
        raise MapError((needed,)) from None
    return statements(system.datamap, kinds, MongoWords())
