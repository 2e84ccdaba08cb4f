"""A connector as written: how a vendor's HTTP interface finds, reads, changes and deletes what it holds of a person.

Every template is Jinja's and every path into an answer JMESPath's; both are checked when the file is read.
Unknown keys are refused, for a misspelt one would be a request that is never sent.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Slot = Annotated[str, Field(pattern=r"^(query|json|form)\.[A-Za-z0-9_.\[\]-]+$")]
ChangingMethod = Literal["POST", "PUT", "PATCH", "DELETE"]
Meaning = Literal["done", "absent", "busy", "away", "credentials", "schema", "refused"]


class Part(BaseModel):
    """Frozen and strict, like every file that a person writes for us."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, populate_by_name=True)


class Request(Part):
    """One request; values in `path` are percent-encoded, a lone template in `query`, `json`, `form` keeps its type."""

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "GET"
    path: Annotated[str, Field(pattern=r"^/([^/].*)?$")]
    query: Mapping[str, Any] = Field(default_factory=dict)
    headers: Mapping[str, str] = Field(default_factory=dict)
    body: Any = Field(default=None, alias="json")
    form: Mapping[str, Any] | None = None


class CursorPaging(Part):
    """The answer names where to go on: the value at `next` is put into `into`."""

    kind: Literal["cursor"]
    next: Words
    into: Slot
    more: Words | None = None


class PagePaging(Part):
    """Pages have numbers; the last one is empty, or the answer says how many there are."""

    kind: Literal["page"]
    into: Slot
    first: int = 1
    pages: Words | None = None


class OffsetPaging(Part):
    """Rows have numbers; a page with fewer than `size` is the last."""

    kind: Literal["offset"]
    into: Slot
    size: Annotated[int, Field(ge=1)]


class LinkPaging(Part):
    """The header `Link` names the next page (RFC 8288); only the same host is followed."""

    kind: Literal["link"]


class AddressPaging(Part):
    """The answer holds the next page's address; only the same host is followed."""

    kind: Literal["address"]
    next: Words


Paging = Annotated[
    CursorPaging | PagePaging | OffsetPaging | LinkPaging | AddressPaging, Field(discriminator="kind")
]


class Lookup(Part):
    """How rows are asked for; with `many` above 1 several values or ids go into one request."""

    request: Request
    rows: Words = "@"
    paging: Paging | None = None
    absent: Words | None = None
    absent_on_404: bool = False
    many: Annotated[int, Field(ge=1, le=1000)] = 1
    trusted: bool = False


class Derived(Part):
    """A system that cannot be searched: the row's key is made from the identity itself."""

    derive: Words


class Results(Part):
    """What a batch says of each id: in the order sent, or under the id that it names."""

    rows: Words
    id: Words | None = None
    ok: Words
    absent: Words | None = None


class JobSpec(Part):
    """A change that the system takes on and does in its own time."""

    id: Words
    poll: Request
    state: Words
    done: Annotated[tuple[str, ...], Field(min_length=1)]
    failed: tuple[str, ...] = ()
    look_again_seconds: Annotated[float, Field(ge=1, le=86_400)] = 60
    patience_hours: Annotated[float, Field(gt=0)] = 24 * 30


class Change(Part):
    """How rows are changed or deleted: one request, and what must follow it for the same rows."""

    request: Request
    then: tuple[Request, ...] = ()
    many: Annotated[int, Field(ge=1, le=1000)] = 1
    results: Results | None = None
    job: JobSpec | None = None
    done: Words | None = None
    statuses: Mapping[int, Meaning] = Field(default_factory=dict)


class Describe(Part):
    """Where the system tells the columns of a collection, for `habeas systems check`."""

    request: Request
    columns: Words


class CollectionSpec(Part):
    """One collection of the map: where its columns stand in a row, and what can be done with it."""

    fields: Mapping[str, Words] = Field(default_factory=dict)
    complete: bool = False
    find: Mapping[str, Lookup | Derived] = Field(default_factory=dict)
    read: Lookup | None = None
    traces: tuple[Lookup, ...] = ()
    delete: Change | None = None
    update: Change | None = None
    opt_out: Change | None = None
    limit: Change | None = None
    correct: Change | None = None
    describe: Describe | None = None


class NoAuth(Part):
    """The system asks for nothing, as behind a gateway that knows us."""

    kind: Literal["none"]


class BearerAuth(Part):
    """A token in the header `Authorization`; `secret` names one of the system file's secrets."""

    kind: Literal["bearer"]
    secret: Words


class BasicAuth(Part):
    """A user and a password; the user may be written out, as with services that ignore it."""

    kind: Literal["basic"]
    user: Words | None = None
    user_secret: Words | None = None
    password_secret: Words

    @model_validator(mode="after")
    def _one_user(self) -> "BasicAuth":
        if (self.user is None) == (self.user_secret is None):
            raise ValueError("name either user or user_secret")
        return self


class ApiKeyAuth(Part):
    """A key in a header or in the query."""

    kind: Literal["api_key"]
    secret: Words
    header: Words | None = None
    query: Words | None = None

    @model_validator(mode="after")
    def _one_place(self) -> "ApiKeyAuth":
        if (self.header is None) == (self.query is None):
            raise ValueError("name either header or query")
        return self


class ClientCredentials(Part):
    """OAuth 2.0 client credentials (RFC 6749, 4.4); the token is kept in memory until shortly before it ends."""

    kind: Literal["oauth2_client_credentials"]
    token_path: Annotated[str, Field(pattern=r"^/([^/].*)?$")]
    client_id_secret: Words
    client_secret_secret: Words
    sent_in: Literal["body", "basic"] = "body"
    scope: Words | None = None
    lifetime_seconds: Annotated[float, Field(gt=0)] = 900


Auth = Annotated[
    NoAuth | BearerAuth | BasicAuth | ApiKeyAuth | ClientCredentials, Field(discriminator="kind")
]


class RateHeaders(Part):
    """Where the system says how much is left of its limit, and when it begins anew."""

    remaining: Words
    reset: Words
    reset_as: Literal["seconds", "epoch", "date"] = "seconds"


class Rate(Part):
    """How fast the system may be asked, and what it may answer at most."""

    per_second: Annotated[float, Field(gt=0)] = 10
    burst: Annotated[int, Field(ge=1)] = 10
    max_body_bytes: Annotated[int, Field(ge=1024, le=1 << 30)] = 10 << 20
    headers: RateHeaders | None = None


class Connector(Part):
    """One connector file."""

    connector: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]
    title: Words
    verified: Literal["unverified against the vendor", "verified against the vendor"]
    sources: tuple[Annotated[str, Field(pattern=r"^https://")], ...] = ()
    limits_of_this: tuple[Words, ...] = ()
    base_url: str | None = None
    settings: Mapping[str, Words] = Field(default_factory=dict)
    auth: Auth
    rate: Rate = Rate()
    headers: Mapping[str, str] = Field(default_factory=dict)
    idempotency_header: Words | None = None
    idempotency_methods: Annotated[tuple[ChangingMethod, ...], Field(min_length=1)] = get_args(ChangingMethod)
    check: Request
    check_holds: Words | None = None
    statuses: Mapping[int, Meaning] = Field(default_factory=dict)
    collections: Annotated[Mapping[str, CollectionSpec], Field(min_length=1)]

    def secrets(self) -> frozenset[str]:
        """The names under which the system file must say where secrets are kept."""
        stated = self.auth.model_dump()
        return frozenset(
            value for key, value in stated.items() if value and (key == "secret" or key.endswith("_secret"))
        )
