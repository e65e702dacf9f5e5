"""The SQL that stands in files: named statements, versioned functions, numbered migrations, grants.

Reads and orders them; running them is for the store and for `gated.db.migrate`.
"""

import hashlib
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

_MIGRATION_NAME = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")


@dataclass(frozen=True, slots=True)
class Script:
    """One file of statements; `name` is its path below `gated/db/`, for messages."""

    name: str
    text: str

    @property
    def digest(self) -> str:
        """SHA-256 of the text, in hexadecimal."""
        return hashlib.sha256(self.text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Migration:
    """A numbered script. `version` counts from 1 without gaps."""

    version: int
    script: Script

    @property
    def name(self) -> str:
        """The file's name without its suffix, e.g. `0001_initial`."""
        return self.script.name.rpartition("/")[2].removesuffix(".sql")


@cache
def sql(name: str) -> str:
    """The statement in `gated/db/queries/{name}.sql`. Raises FileNotFoundError if there is none."""
    return (_root() / "queries" / f"{name}.sql").read_text(encoding="utf-8")


def functions() -> tuple[Script, ...]:
    """The stored functions, by file name. They may call each other whatever the order."""
    return _scripts("functions")


def superseded() -> Script:
    """Drops the forms of functions that there were before, to be run before the functions."""
    return _script(_root() / "superseded.sql", "superseded.sql")


def grants() -> Script:
    """The roles' timeouts and rights, to be run after the functions."""
    return _script(_root() / "grants.sql", "grants.sql")


def migrations() -> tuple[Migration, ...]:
    """The numbered migrations in order. Raises ValueError for a bad name, a gap or a double."""
    return numbered(_scripts("migrations"))


def numbered(scripts: tuple[Script, ...]) -> tuple[Migration, ...]:
    """Scripts named `…/NNNN_word.sql` as migrations in order."""
    found = []
    for script in scripts:
        match = _MIGRATION_NAME.fullmatch(script.name.rpartition("/")[2])
        if match is None:
            raise ValueError(f"{script.name}: a migration is called NNNN_name.sql")
        found.append(Migration(int(match[1]), script))
    found.sort(key=lambda migration: migration.version)
    for expected, migration in enumerate(found, start=1):
        if migration.version != expected:
            raise ValueError(f"{migration.script.name}: the migration {expected:04} was expected")
    return tuple(found)


def _root() -> Traversable:
    return files("gated.db")


def _scripts(folder: str) -> tuple[Script, ...]:
    entries = sorted((_root() / folder).iterdir(), key=lambda entry: entry.name)
    return tuple(
        _script(entry, f"{folder}/{entry.name}") for entry in entries if entry.name.endswith(".sql")
    )


def _script(entry: Traversable, name: str) -> Script:
    return Script(name, entry.read_text(encoding="utf-8"))
