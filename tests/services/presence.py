"""What happens when a server that a test needs is not on this machine."""

import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest


def missing(what: str) -> NoReturn:
    """Skip the test; fail it where `GATED_REQUIRE_SERVICES=1` says that everything is installed."""
    if os.environ.get("GATED_REQUIRE_SERVICES") == "1":
        pytest.fail(f"{what} is not on this machine, and GATED_REQUIRE_SERVICES=1 demands it")
    pytest.skip(f"{what} is not on this machine")


def program(name: str) -> Path:
    """Where the program is; servers often live where only root's PATH looks."""
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"])
    found = shutil.which(name, path=path)
    if found is None:
        missing(name)
    return Path(found)
