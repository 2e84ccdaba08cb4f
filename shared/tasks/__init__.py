"""Leased tasks: the one way in which anything outside is touched.

A claim is a transaction that locks the case and asks the domain again whether the task may go on. `CALLING` is
committed before a call; a crash or a timeout after that is `ambiguous`, and is settled by reading back before
anything is sent again.
"""
