"""Keys in Redis, Valkey, or a store that speaks their protocol."""

from services.fulfillment.adapters.redis.opening import open_adapter

__all__ = ["open_adapter"]
