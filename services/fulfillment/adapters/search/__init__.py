"""Documents in Elasticsearch or OpenSearch, by the REST interface that both have."""

from services.fulfillment.adapters.search.opening import open_adapter

__all__ = ["open_adapter"]
