"""What reading a standard's document comes to: tariff tables, and what must be said about them."""

from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["lost", "assumed", "ask"]

# A tariff as it stands under [[tariff]]: TOML values, by the key that a file writes.
TariffTable = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Remark:
    """What a person has to know about a translation.

    `where` is the JSON pointer (RFC 6901) of what it is about, in the document that was read or in
    the list of tables that was written. It was `lost`, it was read (or written) in one way though
    others are allowed (`assumed`), or it is a question that only the operator can answer (`ask`).
    `place` is the way to where it belongs among the tables, if it belongs to one of them.
    """

    where: str
    what: str
    kind: Kind
    place: tuple[str | int, ...] = ()


@dataclass(frozen=True, slots=True)
class Imported:
    """Tariffs that were read. What the source left open is in the remarks, not in the tables."""

    tables: list[TariffTable]
    currency: str
    time_zone: str | None
    remarks: list[Remark]
