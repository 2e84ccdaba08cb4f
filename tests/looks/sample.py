"""A sample answer and a sample letter, in both languages: made by the services' own code, of nobody's data."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from services.fulfillment.answer.archive import archive
from services.fulfillment.answer_parts import lines_of
from services.intake.domain import Letter
from services.intake.notices.paper import paper
from shared.events.fulfillment import Retention, SystemOutcome, VendorTold
from shared.privacy.claims import Language
from shared.signing import KeyRing
from tests.support.archives import files_of
from tests.support.letters import addressed, answer, texts

ABOUT = {
    "format": "habeas-answer/2",
    "request_id": "7de025f4-a629-458b-8b68-bf6344ef7257",
    "business": "cascadia motors",
    "right": "know_specific",
    "composed_at": "2026-02-03T19:00:00+00:00",
    "covers": {"first": "2022-01-01", "last": None},
}


def _held(category: str, **more: Any) -> dict[str, Any]:
    said: dict[str, Any] = {"sources": ["directly from you"], "purposes": ["selling and servicing vehicles"]}
    return {"category": category, **said, "disclosed_to": [], "sold_or_shared_to": [], **more}


CRM: Mapping[str, Any] = {
    "system": "cascadia-crm",
    "title": "Customer relationship management",
    "categories": [
        _held("identifiers", disclosed_to=["mailing agency"]),
        _held("commercial"),
        _held("sensitive"),
    ],
    "datasets": [
        {
            "dataset": "contacts",
            "rows": [
                {
                    "id": 4711,
                    "full_name": "Ada Lovelace",
                    "email": "ada@example.com",
                    "phone": "+1 415 555 0100",
                    "street": "12 Analytical Way",
                    "city": "Sacramento",
                    "created_at": "2023-04-01T17:20:00Z",
                }
            ],
            "categories": dict.fromkeys(("id", "full_name", "email", "phone", "street"), "identifiers")
            | {"city": "geolocation"},
            "withheld": [{"column": "portal_password", "kind": "account_password", "count": 1}],
        },
        {
            "dataset": "orders",
            "rows": [{"id": n, "item": "Service, 30,000 miles", "total": f"{189 + n}.00"} for n in range(3)],
            "categories": {"item": "commercial", "total": "commercial"},
            "withheld": [{"column": "driver_license", "kind": "government_id_number", "count": 2}],
        },
    ],
}
MARKETING: Mapping[str, Any] = {
    "system": "cascadia-marketing",
    "title": "Marketing list",
    "categories": [
        _held(
            "internet_activity",
            sources=["your visits to our website"],
            purposes=["advertising our vehicles on other websites"],
            sold_or_shared_to=["advertising networks", "social networks"],
        )
    ],
    "datasets": [
        {
            "dataset": "visits",
            "rows": [{"page": f"/vehicles/{n}", "seen_at": "2026-01-12T08:00:00Z"} for n in range(2400)],
            "categories": {"page": "internet_activity", "seen_at": "internet_activity"},
            "withheld": [],
        }
    ],
}


SPANISH: Mapping[str, str] = {
    "Customer relationship management": "Gestión de relaciones con clientes",
    "Marketing list": "Lista de mercadotecnia",
    "directly from you": "directamente de usted",
    "your visits to our website": "sus visitas a nuestro sitio web",
    "selling and servicing vehicles": "vender y dar servicio a vehículos",
    "advertising our vehicles on other websites": "anunciar nuestros vehículos en otros sitios web",
    "mailing agency": "agencia de envíos por correo",
    "advertising networks": "redes publicitarias",
    "social networks": "redes sociales",
    "contacts": "Contactos",
    "orders": "Pedidos",
    "visits": "Visitas",
    "full_name": "Nombre completo",
    "email": "Correo electrónico",
    "phone": "Teléfono",
    "street": "Calle",
    "city": "Ciudad",
    "created_at": "Creado el",
    "item": "Artículo",
    "total": "Total",
    "page": "Página",
    "seen_at": "Vista el",
}


def _lines(system: Mapping[str, Any]) -> Any:
    for line in lines_of(dict(system)):
        said = {"title": system["title"], "words": {"es": SPANISH}}
        yield {**line, **said} if "title" in line else line


def page(language: Language) -> bytes:
    """The page of an answer to know."""
    parts = [partial(_lines, system) for system in (CRM, MARKETING)]
    return files_of(b"".join(archive(ABOUT, parts, KeyRing.generate(), language)))["index.html"]


def letter(language: Language) -> bytes:
    """The letter after a deletion that could not be complete, with what everybody said."""
    return paper(texts(), _partial_deletion(), addressed(language=language))


CRM_TITLES: Mapping[Language, str] = {"es": SPANISH["Customer relationship management"]}


def _partial_deletion() -> Letter:
    kept = Retention(dataset="sales", exemption="legal_obligation", count=2)
    done = (
        SystemOutcome(
            system="crm",
            title="Customer relationship management",
            titles=CRM_TITLES,
            outcome="done",
            erased=4,
        ),
        SystemOutcome(
            system="dms",
            title="Dealer management",
            titles={"es": "Gestión del concesionario"},
            outcome="done",
            deidentified=3,
            retained=(kept,),
        ),
        SystemOutcome(
            system="parts",
            title="Parts office",
            titles={"es": "Oficina de repuestos"},
            outcome="done",
            evidence="box 7",
        ),
    )
    told = (
        VendorTold(vendor="a", title="Evergreen Direct Mail", outcome="done"),
        VendorTold(vendor="b", title="Northwind Lists", outcome="nothing"),
        VendorTold(
            vendor="c",
            title="Summit Mining",
            outcome="impossible",
            facts="The company was dissolved in May 2026, and nobody holds its records.",
        ),
    )
    return answer("delete", "partial", systems=done, vendors=told, ground="exemption")
