"""What intake is told from outside, beside the settings that all services share: prefix HABEAS_INTAKE_."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic_settings import BaseSettings, SettingsConfigDict

BusinessName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]


class Business(BaseModel):
    """How one business speaks to people: its name and the pages and addresses that its notices point to."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(description="The name that people know it by.")
    contact: str | None = Field(default=None, description="An address for questions; also the Reply-To.")
    privacy_policy: str | None = Field(default=None, description="The page with its privacy policy.")
    opt_out: str | None = Field(default=None, description="Its notice of the right to opt out (11 CCR 7013).")
    limit: str | None = Field(default=None, description="Its notice of the right to limit (11 CCR 7014).")
    places: dict[str, str | None] = Field(
        default_factory=dict,
        description="Every site, app and device of the business that collects data, with the page or setting there on "
        "which people opt out; null where there is none, which `habeas notices` then names (11 CCR 7026(a)).",
    )
    opt_in_under_16: str | None = Field(
        default=None,
        description="Where consumers under 16, or their parents, opt in before their data is sold (11 CCR 7070-7072).",
    )
    requests: str | None = Field(default=None, description="The page on which a request can be looked at.")


class IntakeSettings(BaseSettings):
    """Settings of intake alone."""

    model_config = SettingsConfigDict(
        env_prefix="HABEAS_INTAKE_",
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
        env_ignore_empty=True,
    )

    businesses: dict[BusinessName, Business] = Field(
        default_factory=dict,
        description="The businesses served, as a JSON object by name; HABEAS_BUSINESS is always one of them.",
    )
    issuers: Path | None = Field(
        default=None,
        description=(
            "The folder with the businesses' identity providers, the same as verification's: who collects an answer "
            "confirms with their account; `issuers` in home if unset."
        ),
    )
    audience: str = Field(default="habeas", description="The audience that an account assertion must name.")
    submissions_per_minute: int = Field(
        default=60,
        ge=0,
        description="How many requests one address may make in a minute, and at once, in each process of intake; "
        "0 sets no limit. Behind a proxy of yours, name it in FORWARDED_ALLOW_IPS, or all come from its address.",
    )
    mail_from: str = Field(default="privacy@habeas.invalid", description="The sender of every notice.")
    mail_domain: str = Field(default="habeas.invalid", description="The right side of every Message-ID.")
    smtp_security: Literal["none", "starttls", "tls"] = Field(
        default="none", description="How the connection to the mail server is protected."
    )
    smtp_username: str | None = Field(default=None, description="The account at the mail server, if it asks.")
    smtp_password_file: Path | None = Field(default=None, description="A private file with its password.")
    smtp_seconds: float = Field(default=15, gt=0, le=30, description="How long one answer of it may take.")

    def serving(self, default: str) -> dict[str, Business]:
        """Every business served, the one that requests without a name belong to among them."""
        words = default.replace("-", " ").replace("_", " ").title()
        return {default: Business(name=words), **self.businesses}
