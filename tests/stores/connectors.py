"""`make connectors`: try shipped connectors on what there is of their vendors, and say on a page what was seen.

Each has its own run of pytest. What is not to be had on this machine is left out, and the page keeps its last line.
"""

import argparse
import hashlib
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

import httpx2

from shared.clock import SystemClock
from tests.stores.report import Store, row, run
from tests.support.localstripe import PROGRAM

SUITE = "tests/contracts/connectors"
VERSION = "8889625a7b931d8649e18726e7f872ff073520fc"
DESCRIPTION = f"https://raw.githubusercontent.com/intercom/Intercom-OpenAPI/{VERSION}/descriptions/2.11/api.intercom.io.yaml"
SHA256 = "3d40dd2e4009882b7b4a4cf57ac03e3c47d781120ef9a966f6803982df8a6016"

PAGE = """# Connectors against what there is of their vendors

Written by `make connectors`. **None of this is the vendor itself**, of which no account was to be had.

| connector | against | version | tests passed | not for it | failed | seconds | on |
|---|---|---|---|---|---|---|---|
{table}

localstripe is a double of Stripe that others maintain, under the GPL; it runs as a program of its own, in an
environment that holds nothing else. The connector that is shipped is let in, finds, shows, corrects, flags, deletes and
proves on it
([the tests](../../tests/contracts/connectors/test_stripe_on_localstripe.py)). Where the two differ, Stripe's own pages
decide:

| | localstripe | Stripe's pages, and the connector |
|---|---|---|
| a customer who was deleted | 404 | 200 with `deleted: true` ([retrieve]); both count as gone |
| customers by e-mail | no search: the tests answer for it from its own list | without regard to case ([search]) |
| `Idempotency-Key` | unknown | the first answer again, an error for other parameters, `POST` alone ([keys]) |

[retrieve]: https://docs.stripe.com/api/customers/retrieve
[search]: https://docs.stripe.com/api/customers/search
[keys]: https://docs.stripe.com/api/idempotent_requests

Intercom publishes [an OpenAPI description](https://github.com/intercom/Intercom-OpenAPI) under the MIT licence. Every
request that the connector sends and every answer that it is tried on is held against it by openapi-core, and every name
that is sent or read is looked up in it ([the
tests](../../tests/contracts/connectors/test_intercom_by_its_description.py)). It names no 404 for
a contact that is gone, but says in words that one that was merged is answered so: the connector takes it for gone once
the interface has shown that it still lets us in. The description is brought by address and SHA-256 and not kept in the
repository; where the address is not to be reached, `make connectors INTERCOM=FILE` takes the file.
"""


def offered(localstripe: Path | None, intercom: Path | None) -> list[Store]:
    """What can be tried here."""
    found = []
    if localstripe is not None:
        asked = {PROGRAM: str(localstripe.absolute())}
        found.append(Store("Stripe | localstripe", asked, [f"{SUITE}/test_stripe_on_localstripe.py"]))
    if intercom is not None:
        asked = {"HABEAS_TEST_INTERCOM": str(intercom.absolute())}
        tests = [f"{SUITE}/test_intercom_by_its_description.py"]
        found.append(Store("Intercom | its OpenAPI description", asked, tests))
    return found


def described(given: Path | None, folder: Path) -> Path | None:
    """The description as it was when the connector was last held against it; None where it is not to be had."""
    try:
        content = given.read_bytes() if given else _brought()
    except httpx2.HTTPError as error:
        why = f"Intercom's description is not to be had from here ({type(error).__name__})"
        sys.stderr.write(f"{why}; bring {DESCRIPTION} and say make connectors INTERCOM=FILE\n")
        return None
    if hashlib.sha256(content).hexdigest() != SHA256:
        raise SystemExit(f"this is not the description at {DESCRIPTION}: its SHA-256 is another")
    file = folder / "intercom.yaml"
    file.write_bytes(content)
    return file


def _brought() -> bytes:
    return httpx2.get(DESCRIPTION, timeout=30, follow_redirects=True).raise_for_status().content


def main() -> None:
    """Run what there is, and write the page if one is named."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--localstripe", type=Path, help="the program localstripe")
    options.add_argument("--intercom", type=Path, help="Intercom's description, if it is here already")
    options.add_argument("--page", type=Path)
    chosen = options.parse_args()
    with ExitStack() as at_end:
        folder = Path(at_end.enter_context(tempfile.TemporaryDirectory()))
        stores = offered(chosen.localstripe, described(chosen.intercom, folder))
        seen = {store.title.partition(" | ")[0]: (store, run(store)) for store in stores}
    missing = {"Intercom", "Stripe"} - set(seen)
    now = SystemClock().now()
    rows = [row(store, one, now) for store, one in seen.values()]
    before = chosen.page.read_text().splitlines() if chosen.page and chosen.page.exists() else []
    rows += [line for line in before if line.startswith(tuple(f"| {name} |" for name in missing))]
    text = PAGE.format(table="\n".join(sorted(rows)))
    sys.stdout.write(text)
    if chosen.page is not None:
        chosen.page.write_text(text)
    if any(one.failed for _, one in seen.values()):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
