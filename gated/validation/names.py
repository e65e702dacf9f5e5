"""Names, of which rules of all kinds say that they are unique, or that somebody has them."""

from collections.abc import Iterable, Iterator, Sequence

from gated.core.errors import ConfigError
from gated.toml import Document, KeyPath
from gated.validation.table import Table, Unsound, known


class Names:
    """What others may refer to: the names that tables have under a key, and some besides.

    `tables` is None if it is not known which there are.
    """

    def __init__(self, tables: Iterable[Table] | None, key: str, *, besides: Sequence[str] = ()):
        names = [None] if tables is None else [known(table, key) for table in tables]
        self._complete = None not in names
        sound = (name for name in names if name is not None)
        self._names = dict.fromkeys((*besides, *sound))

    @property
    def known(self) -> tuple[str, ...]:
        return tuple(self._names)

    def have(self, name: str) -> bool:
        """Raises Unsound if it may be one that is not sound."""
        if name not in self._names and not self._complete:
            raise Unsound(name)
        return name in self._names


def unique(
    document: Document, placed: Iterable[tuple[KeyPath, Table]], key: str = "name"
) -> Iterator[ConfigError]:
    """No two of these tables, each with its place, have the same name under the key."""
    first: dict[str, KeyPath] = {}
    for path, table in placed:
        name, place = known(table, key), (*path, key)
        if name is not None and (earlier := first.setdefault(name, place)) is not place:
            line = document.line(earlier)
            yield document.error(place, f'expected a name of its own: "{name}" is in line {line}')
