"""Tariffs of other people's standards, read into tariff tables, and tables written as one of them.

Pure: documents and tables in, documents, tables and remarks out. Each translation says plainly what
it could not carry over; docs/tariff-standards.md tells it field by field.
"""

from typing import Literal, assert_never

from gated.standards import apds, cds, ocpi
from gated.standards.imported import Imported, Remark, TariffTable

__all__ = ["Imported", "Remark", "Standard", "TariffTable", "read"]

Standard = Literal["cds", "apds", "ocpi"]


def read(standard: Standard, document: object) -> Imported:
    """The tariffs of a document of a standard: the value of its JSON text.

    `cds` is the Curb Data Specification 1.x (policies), `apds` ISO/TS 5206-1 (rate tables and
    right specifications), `ocpi` OCPI 2.2.1 (tariffs). What the standard does not answer is asked
    for in the remarks.

    Raises ConfigError, or ConfigErrors for several, whose keys are JSON pointers into the document.
    """
    match standard:
        case "cds":
            return cds.imported(document)
        case "apds":
            return apds.imported(document)
        case "ocpi":
            return ocpi.imported(document)
        case _:
            assert_never(standard)
