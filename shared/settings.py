"""What a service is told from outside: environment variables with the prefix HABEAS_, secrets from private files."""

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Settings that all services share; a service's own stand in its own room."""

    model_config = SettingsConfigDict(
        env_prefix="HABEAS_", extra="ignore", frozen=True, hide_input_in_errors=True, env_ignore_empty=True
    )

    home: Path = Field(default=Path(".habeas"), description="Where keys, secrets and local data lie.")
    kafka_bootstrap: str = Field(
        default="127.0.0.1:9092", description="Kafka's addresses, host:port by comma."
    )
    kafka_security: Literal["none", "tls", "sasl"] = Field(
        default="none",
        description="How connections to Kafka are protected: `tls` encrypts and checks the brokers' certificates, "
        "`sasl` also logs in over TLS, each service as itself.",
    )
    kafka_authority: Path | None = Field(
        default=None,
        description="A PEM file with who signed the brokers' certificates; the system's authorities if unset.",
    )
    kafka_mechanism: Literal["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"] = Field(
        default="SCRAM-SHA-512",
        description="How `sasl` proves who logs in; `secrets/PRINCIPAL.kafka-login` holds `user:password`.",
    )
    namespace: str = Field(
        default="",
        pattern=r"^[a-z0-9.-]{0,40}$",
        description="A prefix for every topic and group, so that installations can share a cluster.",
    )
    business: str = Field(
        default="cascadia",
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$",
        description="The business that requests without one belong to.",
    )
    clock: Literal["system", "advance"] = Field(
        default="system",
        description="`advance` lets `habeas clock advance` move time: for demonstrations only.",
    )
    host: str = Field(default="127.0.0.1", description="The address that a service's HTTP listens on.")
    port: int = Field(default=0, ge=0, le=65535, description="Its port; 0 lets the system choose.")
    smtp_host: str = Field(default="127.0.0.1", description="The mail server that notices are handed to.")
    smtp_port: int = Field(default=25, description="Its port.")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="What is logged."
    )
    otlp_endpoint: str = Field(
        default="",
        description="Where spans go, an OTLP address over HTTP such as `http://127.0.0.1:4318/v1/traces`; none are "
        "recorded while it is unset.",
    )
    database_pool: int = Field(default=6, ge=2, le=50, description="Connections to a service's own database.")
    task_width: int = Field(
        default=64, ge=1, le=256, description="How many tasks of a service run side by side."
    )
    packages: Path | None = Field(
        default=None, description="Where sealed answers lie; `packages` in home if unset."
    )

    @property
    def keys(self) -> Path:
        """The folder of key files."""
        return self.home / "keys"

    @property
    def secrets(self) -> Path:
        """The folder of private URL files."""
        return self.home / "secrets"

    @property
    def packages_folder(self) -> Path:
        """Where sealed answers lie."""
        return self.packages or self.home / "packages"

    @property
    def clock_file(self) -> Path:
        """Where the advancing clock keeps its offset."""
        return self.home / "clock.json"

    def database_url_file(self, service: str) -> Path:
        """The private file with a service's database URL."""
        return self.secrets / f"{service}.database-url"

    def kafka_login_file(self, principal: str) -> Path:
        """The private file with a principal's `user:password` at Kafka."""
        return self.secrets / f"{principal}.kafka-login"

    def vault_url_file(self, service: str) -> Path:
        """The private file with a service's URL of the vault."""
        return self.secrets / f"{service}.vault-url"
