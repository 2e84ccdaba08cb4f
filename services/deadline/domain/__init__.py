"""The clocks of a request: warn, extend, call late, close. Pure rules over one case per request.

Facts merge in any order: each is taken in as it comes, and everything that follows is then derived from what
is known by now.
"""

from services.deadline.domain.addenda import ADDENDUM
from services.deadline.domain.case import CERTIFICATE, DESTROY_KEY, DeadlineCase
from services.deadline.domain.rules import DeadlineDomain

__all__ = ["ADDENDUM", "CERTIFICATE", "DESTROY_KEY", "DeadlineCase", "DeadlineDomain"]
