"""Laws as they would be once counsel has confirmed them."""

from dataclasses import replace

from shared.policy import Regime, load_regime


def as_if_offered(name: str) -> Regime:
    """A law that takes requests, whatever its file says of that."""
    regime = load_regime(name)
    rules = regime.rules.model_copy(update={"offered": True, "because": None})
    return replace(regime, rules=rules)
