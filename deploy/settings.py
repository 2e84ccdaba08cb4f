"""Settings for the command line: what the environment does not say is read off the embedded stack, if one runs."""

from shared.settings import Settings


def local_settings() -> Settings:
    """The environment's settings, completed by the stack in the same home."""
    settings = Settings()
    given = settings.model_fields_set
    missing = {"kafka_bootstrap", "smtp_host", "smtp_port"} - given
    if not missing or not (settings.home / "stack.json").exists():
        return settings
    from deploy.local.errors import StackError
    from deploy.local.stack import info

    try:
        stack = info(settings.home)
    except StackError:
        return settings
    found = {
        "kafka_bootstrap": stack.kafka_bootstrap,
        "smtp_host": stack.smtp_host,
        "smtp_port": stack.smtp_port,
    }
    return settings.model_copy(update={name: found[name] for name in missing})
