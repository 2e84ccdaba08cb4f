"""OpenDSR 2.0 (formerly OpenGDPR), the side that asks: mParticle, AppsFlyer and others answer in it."""

from services.fulfillment.adapters.opendsr.adapter import OpenDsrAdapter, open_adapter
from services.fulfillment.adapters.opendsr.callbacks import open_callbacks

__all__ = ["OpenDsrAdapter", "open_adapter", "open_callbacks"]
