"""`make connectors`: try shipped connectors on what others wrote of their vendors, and say on a page what was seen.

Each has its own run of pytest. What is not to be had on this machine is left out, and the page keeps its last line.
"""

import argparse
import sys
from pathlib import Path

from shared.clock import SystemClock
from tests.stores.report import Store, row, run
from tests.support.localstripe import PROGRAM

SUITE = "tests/contracts/connectors"

PAGE = """# Connectors against what others wrote of their vendors

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
"""


def offered(options: argparse.Namespace) -> dict[str, Store]:
    """What can be tried here."""
    found = {}
    if options.localstripe:
        asked = {PROGRAM: str(options.localstripe.absolute())}
        tests = [f"{SUITE}/test_stripe_on_localstripe.py"]
        found["Stripe"] = Store("Stripe | localstripe", asked, tests)
    return found


def main() -> None:
    """Run what there is, and write the page if one is named."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--localstripe", type=Path, help="the program localstripe")
    options.add_argument("--page", type=Path)
    chosen = options.parse_args()
    seen = {store.title: (store, run(store)) for store in offered(chosen).values()}
    now = SystemClock().now()
    rows = [row(store, one, now) for store, one in seen.values()]
    before = chosen.page.read_text().splitlines() if chosen.page and chosen.page.exists() else []
    rows += [line for line in before if " | 20" in line and not any(title in line for title in seen)]
    text = PAGE.format(table="\n".join(sorted(rows)))
    sys.stdout.write(text)
    if chosen.page is not None:
        chosen.page.write_text(text)
    if any(one.failed for _, one in seen.values()):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
