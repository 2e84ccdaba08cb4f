"""What no program reaches: paper, a cabinet, a tool without an interface. A person does it and gives evidence."""

from services.fulfillment.adapters.manual.adapter import ManualAdapter, open_adapter

__all__ = ["ManualAdapter", "open_adapter"]
