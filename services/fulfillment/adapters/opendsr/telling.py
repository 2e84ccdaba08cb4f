"""What an OpenDSR processor would be asked, with names in the place of values."""

import json
from collections.abc import Collection, Iterator

from services.fulfillment.adapters.opendsr import access
from services.fulfillment.adapters.opendsr.orders import IDENTITIES, Orders
from services.fulfillment.datamap.systems import System
from services.fulfillment.told.subjects import rights_told
from shared.clock import SystemClock
from shared.policy.rights import Right


def statements_of(system: System, kinds: Collection[str]) -> str:
    """The order for each right that the processor serves, and how it is followed."""
    known = sorted({kind for kind, _ in system.datamap.identities()} & set(kinds) & set(IDENTITIES))
    if not known:
        return "Requests\n  none: the processor knows nobody by these\n"
    auth = "authorization by basic (user, password); " if "user" in system.secrets else ""
    lines = [f"Each request has {auth}Accept: application/json", "", "Requests"]
    return "\n".join([*lines, *(f"  {line}" for line in _lines(system, known))]) + "\n"


def _lines(system: System, known: list[str]) -> Iterator[str]:
    rights = rights_told(system)
    if Right.DELETE in rights:
        yield f"POST /requests {_order(system, known, 'erasure')}"
    if Right.KNOW_SPECIFIC in rights:
        kind = str(system.settings.get(access.REQUEST_TYPE, access.TYPES[0]))
        yield f"POST /requests {_order(system, known, kind)}"
    yield "GET /requests/:order, until it is completed"
    if Right.KNOW_SPECIFIC in rights:
        hosts = " or ".join(["its own host", *access.hosts_of(system)])
        most = access.most_bytes(system) // access.A_MB
        yield f"GET :results_url, if it is on {hosts}; {most} MB at most"


def _order(system: System, known: list[str], kind: str) -> str:
    request = Orders(system, SystemClock()).request({name: f":{name}" for name in known}, ":order", kind)
    hashed = system.settings.get("format", "raw") == "sha256"
    identities = [
        {**each, "identity_value": f"sha256(:{name})" if hashed else f":{name}"}
        for name, each in zip(known, request["subject_identities"], strict=True)
    ]
    told = {**request, "submitted_time": ":now", "subject_identities": identities}
    return json.dumps(told, ensure_ascii=False)
