"""Everything that a vendor needs in one folder, and what we need of it: keys, access rules, a page."""

import json
from pathlib import Path

from deploy.access import grants_for
from deploy.onboarding_page import pages
from services.fulfillment.vendors.files import OverKafka, Vendor
from shared.events.topics import ACKNOWLEDGEMENTS, DIRECTIVES, Topic
from shared.hosting import clock_of
from shared.keyfiles import KeyFiles, vendor_folder
from shared.private_files import create_private, read_private, write_private
from shared.settings import Settings
from shared.signing import DecryptionKeys, KeyRing, VendorKeys, jwks_document

PUBLIC = 0o644


class CannotOnboard(ValueError):
    """A vendor cannot be onboarded; the sentence says why."""


def topics_of(vendor: str) -> tuple[Topic, Topic]:
    """The two topics of a vendor."""
    return DIRECTIVES.of(vendor), ACKNOWLEDGEMENTS.of(vendor)


def onboard(settings: Settings, vendor: Vendor, theirs: Path | None = None) -> Path:
    """Make what is missing; the folder to hand over. Repeated, it changes nothing but a key that is given.

    Raises:
        CannotOnboard: the vendor is told in another way, or its keys cannot be used.
        shared.private_files.KeyFileRefused: our own keys are missing, or open to others.
    """
    name = vendor.vendor
    if not isinstance(vendor.told, OverKafka):
        raise CannotOnboard(f"{name} is not told over Kafka; its file would say so: told: {{by: kafka, …}}")
    handed = settings.home / "vendors" / name
    handed.mkdir(mode=0o700, parents=True, exist_ok=True)
    _take_keys(settings.keys, handed, name, theirs)
    ours = KeyFiles(settings.keys).directives()
    write_private(
        handed / "habeas.jwks.json", json.dumps(jwks_document(ours), indent=1).encode(), mode=PUBLIC
    )
    write_private(handed / "acls.sh", _acls(settings, name).encode())
    for file, content in pages(settings, vendor, vendor.told, clock_of(settings).now()):
        write_private(handed / file, content, mode=PUBLIC)
    return handed


def _take_keys(keys: Path, handed: Path, name: str, theirs: Path | None) -> None:
    """The vendor's own public keys if it gave some; else a pair that is made for it once."""
    public = vendor_folder(keys) / f"{name}.jwks.json"
    public.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if theirs is not None:
        write_private(public, _checked(theirs), mode=PUBLIC)
        return
    if not public.exists():
        write_private(public, _made(handed / "private.jwks.json"), mode=PUBLIC)


def _made(private: Path) -> bytes:
    """The public side of the pair in this file, which is made if it is not there."""
    made = (DecryptionKeys.generate().private_document(), KeyRing.generate().private_document())
    pair = [key for document in made for key in json.loads(document)["keys"]]
    create_private(private, json.dumps({"keys": pair}, indent=1).encode())
    keys = json.loads(read_private(private))["keys"]
    meant = {
        use: json.dumps({"keys": [key for key in keys if key["use"] == use]}).encode()
        for use in ("enc", "sig")
    }
    rings = DecryptionKeys.from_document(meant["enc"]), KeyRing.from_document(meant["sig"])
    return json.dumps(jwks_document(*rings), indent=1).encode()


def _checked(theirs: Path) -> bytes:
    try:
        content = theirs.read_bytes()
        VendorKeys.from_document(content)
    except OSError:
        raise CannotOnboard(f"{theirs} cannot be read") from None
    except ValueError as error:
        raise CannotOnboard(f"{theirs}: {error}") from None
    return content


def _acls(settings: Settings, name: str) -> str:
    """What an administrator runs where the broker denies by default."""
    given = grants_for(name, namespace=settings.namespace)
    return "\n".join(["#!/bin/sh -e", *(one.statement(settings.kafka_bootstrap) for one in given), ""])
