"""Fulfillment's rules: which systems are asked, what their answers add up to, and how a request ends.

Pure: a case and a message in, a decision out.
"""

from services.fulfillment.domain.aftercare import Aftercare
from services.fulfillment.domain.case import Directive, FulfillmentCase, Part, Stage, Verified
from services.fulfillment.domain.catalogue import Catalogue, SystemEntry
from services.fulfillment.domain.fulfillment import FulfillmentDomain

__all__ = [
    "Aftercare",
    "Catalogue",
    "Directive",
    "FulfillmentCase",
    "FulfillmentDomain",
    "Part",
    "Stage",
    "SystemEntry",
    "Verified",
]
