"""How fast one address may submit: each submission may send a mail, and a script could send thousands.

A bucket of tokens for each address, refilled all the time, so that a form's repeats are never noticed. Ours and not a
library's: those found keep a counter for every address that ever came, or need a server beside us.
"""

from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address
from math import ceil
from typing import Final

MOST_ADDRESSES: Final = 10_000
# What one customer of a provider has for himself: more addresses than any memory could hold apart.
_NETWORK_BITS: Final = 64
_MINUTE: Final = 60.0


class Pace:
    """`per_minute` in the long run, and as many at once; 0 is no limit. One per process: nothing is shared."""

    def __init__(
        self, per_minute: int, *, monotonic: Callable[[], float], most: int = MOST_ADDRESSES
    ) -> None:
        self._per_minute = per_minute
        self._monotonic = monotonic
        self._most = most
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, address: str) -> int:
        """Count one submission; 0, or the whole seconds until the next one may come."""
        if not self._per_minute:
            return 0
        key, now = network_of(address), self._monotonic()
        left, since = self._left.pop(key, (float(self._per_minute), now))
        left = min(float(self._per_minute), left + (now - since) * self._per_minute / _MINUTE)
        allowed = left >= 1
        self._left[key] = (left - 1 if allowed else left, now)
        if len(self._left) > self._most:
            self._left.popitem(last=False)
        return 0 if allowed else ceil((1 - left) * _MINUTE / self._per_minute)


def network_of(address: str) -> str:
    """The address itself, or of an IPv6 address the network that its owner has to himself."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if not isinstance(found, IPv6Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return f"{int(found) >> _NETWORK_BITS:x}/{_NETWORK_BITS}"
