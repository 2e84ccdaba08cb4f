"""What the OpenAPI descriptions say of a question that cannot be read: the framework describes another answer."""

from typing import Any, Final

UNREADABLE: Final[dict[int | str, dict[str, Any]]] = {
    422: {
        "description": "Not in the form that is described here.",
        "content": {"application/problem+json": {}},
    },
}
