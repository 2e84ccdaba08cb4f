"""How ids are made: time-ordered for messages, derived for requests so that a repeat is the same request."""

from uuid import UUID, uuid5

from uuid_utils.compat import uuid7

REQUESTS = UUID("6f9c1f0e-6f0b-5f43-9a52-6a1d2f6f9d11")


def new_id() -> UUID:
    """A fresh message or task id; later ids sort after earlier ones."""
    return uuid7()


def request_id_for(source: str, submission_id: str) -> UUID:
    """The id of the request behind a submission: the same source and submission give the same request."""
    return uuid5(uuid5(REQUESTS, source), submission_id)


def recurring_id(business: str, regime: str) -> UUID:
    """The id of what a law has a business repeat: no request's, and the same each time."""
    return request_id_for(f"recurring/{regime}", business)
