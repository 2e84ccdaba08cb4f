"""Bugs put into production code on purpose, each of which the simulation must find."""

from tests.mutations.kernel import KERNEL
from tests.mutations.rules import RULES
from tests.mutations.stated import STATED

SEEDED = (*KERNEL, *RULES, *STATED)
