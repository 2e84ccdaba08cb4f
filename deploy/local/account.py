"""The unprivileged account that PostgreSQL runs under when we are root, since it refuses to run as root."""

import os
import pwd
from dataclasses import dataclass

from deploy.local.errors import StackError

CANDIDATES = ("nobody", "postgres", "daemon")


@dataclass(frozen=True)
class Account:
    name: str
    uid: int
    gid: int


def unprivileged() -> Account | None:
    """None when we are not root and everything runs as ourselves; else an account that exists already."""
    if os.geteuid() != 0:
        return None
    wanted = os.environ.get("HABEAS_ACCOUNT")
    for name in (wanted,) if wanted else CANDIDATES:
        account = _found(name)
        if account is not None:
            return account
    tried = wanted or ", ".join(CANDIDATES)
    raise StackError(
        f"PostgreSQL will not run as root and no unprivileged account was found ({tried}); "
        "set HABEAS_ACCOUNT to one that exists, or run as an ordinary user."
    )


def _found(name: str) -> Account | None:
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    return Account(name, entry.pw_uid, entry.pw_gid) if entry.pw_uid else None
