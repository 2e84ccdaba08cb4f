"""What verification is told from outside; variables begin with HABEAS_VERIFICATION_."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class VerificationSettings(BaseSettings):
    """How accounts and codes prove who asks."""

    model_config = SettingsConfigDict(
        env_prefix="HABEAS_VERIFICATION_",
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
        env_ignore_empty=True,
    )

    issuers: Path | None = Field(
        default=None,
        description=(
            "The folder with one <business>.jwks.json per business: its identity provider's public keys, and "
            'beside "keys" the provider\'s name as "issuer"; `issuers` in home if unset.'
        ),
    )
    audience: str = Field(default="habeas", description="The audience that an account assertion must name.")
    fresh_sign_in_minutes: int = Field(
        default=10,
        ge=1,
        le=120,
        description="How recent a sign-in counts as re-authentication (11 CCR 7061).",
    )
    code_hours: int = Field(default=72, ge=1, le=720, description="How long an e-mailed code counts.")
    code_attempts: int = Field(default=5, ge=1, le=10, description="How often one code may be tried.")
    code_challenges: int = Field(
        default=3, ge=1, le=10, description="How many codes one request may be sent."
    )
