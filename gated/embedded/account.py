"""Which system user PostgreSQL runs as, and whether that user can get where it has to.

PostgreSQL refuses to run as root. Started by root (a container, a throw-away machine) it runs as
`nobody`: no user is created and no directory but our own is opened up for it.
"""

import os
import pwd
import stat
from pathlib import Path

from gated.core.errors import ConfigError
from gated.embedded.process import Account


def unprivileged_account() -> Account | None:
    """`nobody` when we are root, else None: the server runs as we do."""
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        raise ConfigError(
            "PostgreSQL does not run as root and this system has no user 'nobody': "
            "start gated as an ordinary user"
        ) from None
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def closed_parent(path: Path, account: Account | None) -> Path | None:
    """The outermost directory on the way to `path` that `account` may not pass, if any."""
    if account is None:
        return None
    for directory in reversed(path.resolve().parents):
        status = directory.stat()
        if status.st_uid == account.uid:
            needed = stat.S_IXUSR
        elif status.st_gid == account.gid:
            needed = stat.S_IXGRP
        else:
            needed = stat.S_IXOTH
        if not status.st_mode & needed:
            return directory
    return None


def open_to(directory: Path, account: Account | None) -> None:
    """Let `account` pass through `directory`, which is ours, and through nothing else.

    Raises ConfigError when a directory above it is closed: that one is not ours to open.
    """
    if account is None:
        return
    if closed := closed_parent(directory, account):
        raise ConfigError(
            f"the server does not run as root but as {account.name}, who may not pass {closed}: "
            "give a directory below /tmp, or start gated as an ordinary user",
            place=str(directory),
        )
    directory.chmod(directory.stat().st_mode | stat.S_IXOTH)
