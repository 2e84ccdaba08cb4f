"""What deadline is told from outside, beside the settings that all services share: prefix HABEAS_DEADLINE_."""

from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class DeadlineSettings(BaseSettings):
    """Settings of deadline alone."""

    model_config = SettingsConfigDict(
        env_prefix="HABEAS_DEADLINE_",
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
        env_ignore_empty=True,
    )

    keys: Literal["destroyed_when_due", "destroyed_when_told"] = Field(
        default="destroyed_when_due",
        description="When closed requests' keys go: by themselves as soon as nothing needs them, or when `habeas "
        "retention run` says so with a plan that somebody read.",
    )
