"""What fulfillment is told from outside; variables begin with HABEAS_FULFILLMENT_."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class FulfillmentSettings(BaseSettings):
    """Where the connected systems and the vendors are described."""

    model_config = SettingsConfigDict(
        env_prefix="HABEAS_FULFILLMENT_",
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
        env_ignore_empty=True,
    )

    systems: Path = Field(
        default=Path("deploy/systems"),
        description="The folder with one YAML file for each connected system; their maps lie beside them.",
    )
    vendors: Path | None = Field(
        default=None,
        description="The folder with one YAML file for each vendor; unset, no vendor is told anything.",
    )
