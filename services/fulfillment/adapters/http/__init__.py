"""Any system with an HTTP interface that answers in JSON, described by a connector in YAML."""

from services.fulfillment.adapters.http.adapter import HttpAdapter, open_adapter

__all__ = ["HttpAdapter", "open_adapter"]
