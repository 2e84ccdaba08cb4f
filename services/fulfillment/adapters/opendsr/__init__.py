"""OpenDSR 2.0 (formerly OpenGDPR), the side that asks: mParticle, AppsFlyer and others answer in it."""

from services.fulfillment.adapters.opendsr.adapter import OpenDsrAdapter, open_adapter

__all__ = ["OpenDsrAdapter", "open_adapter"]
