"""CSV, JSONL and Parquet in a folder, or in an object store that speaks S3."""

from services.fulfillment.adapters.objects.adapter import ObjectsAdapter, open_adapter

__all__ = ["ObjectsAdapter", "open_adapter"]
