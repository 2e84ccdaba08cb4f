"""Documents in MongoDB, or in a store that speaks its protocol."""

from services.fulfillment.adapters.mongodb.opening import open_adapter

__all__ = ["open_adapter"]
