"""`gated tariff import` and `export`: tariffs of other people's standards."""

import json
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from gated.core.errors import ConfigError
from gated.json_text import parsed
from gated.site_rules import load_tariffs_of
from gated.standards import Remark, apds, read
from gated.standards.toml_text import written


class Source(StrEnum):
    """What can be read."""

    CDS = "cds"
    APDS = "apds"
    OCPI = "ocpi"


class Target(StrEnum):
    """What can be written."""

    APDS = "apds"


Output = Annotated[
    Path | None,
    typer.Option(
        "--output", "-o", help="The file to write; else it is printed.", show_default=False
    ),
]


def import_(
    standard: Annotated[Source, typer.Argument(help="What the file is.", show_default=False)],
    file: Annotated[Path, typer.Argument(help="The document, as JSON.", show_default=False)],
    output: Output = None,
) -> None:
    """Read the tariffs of a standard as a tariff file: CDS policies, APDS rates, OCPI tariffs.

    What was lost, assumed or has to be asked is told on standard error; questions that the file
    leaves open stand in it as comments, and `gated tariff lint` asks them.
    """
    imported = read(standard.value, _json(file))
    _tell(imported.remarks)
    _write(written(imported), output)


def export(
    standard: Annotated[Target, typer.Argument(help="What to write.", show_default=False)],
    file: Annotated[Path, typer.Argument(help="The tariff file.", show_default=False)],
    output: Output = None,
) -> None:
    """Write the tariffs of a file as a standard's document; what it cannot say is told."""
    tariffs = load_tariffs_of(file)
    tables = list(tariffs.document.values["tariff"])
    match standard:
        case Target.APDS:
            document, remarks = apds.exported(
                tariffs.facility.currency, tariffs.facility.time_zone, tables
            )
    _tell(remarks)
    _write(json.dumps(document, indent=2, ensure_ascii=False) + "\n", output)


def _json(file: Path) -> Any:
    try:
        text = file.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise ConfigError("no such file", place=str(file)) from None
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror or error}", place=str(file)) from error
    except UnicodeDecodeError as error:
        raise ConfigError("expected text in UTF-8", place=str(file)) from error
    return parsed(text, place=str(file))


def _tell(remarks: Iterable[Remark]) -> None:
    for remark in remarks:
        where = f"{remark.where}: " if remark.where else ""
        typer.echo(f"{remark.kind}: {where}{remark.what}", err=True)


def _write(text: str, output: Path | None) -> None:
    if output is None:
        typer.echo(text, nl=False)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigError(f"cannot be written: {reason}", place=str(output)) from error
    typer.echo(f"written to {output}", err=True)
