"""One command, `gated`: mounts the sub-commands and turns wrong input into exit status 2."""

import sys

import typer

from gated import __version__
from gated.cli.booking import app as booking_app
from gated.cli.check import check
from gated.cli.db import app as db_app
from gated.cli.demo import demo
from gated.cli.device import app as device_app
from gated.cli.evacuation import evacuation
from gated.cli.lane import facility, lane
from gated.cli.passback import reset_passback
from gated.cli.reconcile import app as reconcile_app
from gated.cli.run import run
from gated.cli.site import app as site_app
from gated.cli.stays import app as stays_app
from gated.cli.tariff import app as tariff_app
from gated.cli.violations import debts, violations
from gated.cli.why import why
from gated.core.errors import ConfigError

app = typer.Typer(
    name="gated",
    help="Runs the entrances and exits of car parks.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command()(run)
app.command()(demo)
app.command()(check)
app.command()(why)
app.command()(lane)
app.command()(facility)
app.command()(evacuation)
app.command()(violations)
app.command()(debts)
app.command(name="reset-passback")(reset_passback)
app.add_typer(db_app, name="db", help="Create and upgrade the database.")
app.add_typer(site_app, name="site", help="Set up facilities from files.")
app.add_typer(tariff_app, name="tariff", help="Check, show and price tariffs.")
app.add_typer(booking_app, name="booking", help="Reservations and payments by hand.")
app.add_typer(stays_app, name="stays", help="Stays whose vehicle may be gone; zones by count.")
app.add_typer(reconcile_app, name="reconcile", help="Contradictions that wait for an operator.")
app.add_typer(device_app, name="device", help="Look at what devices say.")


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(__version__)


def main() -> None:
    """The entry point of the `gated` command."""
    try:
        app()
    except ConfigError as error:
        typer.echo(str(error), err=True)
        sys.exit(2)
