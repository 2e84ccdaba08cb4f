"""Delta tables in a folder or a bucket: their log and their old files are part of what must be forgotten."""

from services.fulfillment.adapters.delta.opening import open_adapter

__all__ = ["open_adapter"]
