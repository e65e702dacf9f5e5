"""What the commands of the desk share: opening it, saying what it does, ending with a status."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any, TypeVar

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.status import Status

from gated.core.errors import StoreError
from gated.desk.pricing import Desk, opened

Result = TypeVar("Result")

# What a shell reports for a command that ended by Ctrl-C.
INTERRUPTED = 130


class Seated:
    """An open desk, and the line on the terminal that says what it does."""

    def __init__(self, desk: Desk, status: Status) -> None:
        self.desk = desk
        self._status = status
        self._count = 0

    def counted(self, stays: int) -> None:
        """So many more stays were priced."""
        self._count += stays
        self._status.update(f"{self._count} stays priced")

    def say(self, what: str) -> None:
        self._status.update(what)

    def still(self) -> None:
        """Leave the terminal to what is printed next."""
        self._status.stop()


@asynccontextmanager
async def at_desk(dsn: str | None) -> AsyncIterator[Seated]:
    """A desk for the block. The line shows itself on a terminal only, on standard error."""
    with Console(stderr=True).status("opening the desk") as status:
        async with opened(dsn, on_step=status.update) as desk:
            yield Seated(desk, status)


@contextmanager
def progress(seated: Seated, what: str, total: int) -> Iterator[Callable[[int], None]]:
    """A bar in place of the line; call it with each piece of work that is done."""
    seated.still()
    columns = (
        TextColumn(what),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(compact=True),
    )
    console = Console(stderr=True)
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task(what, total=total)
        yield lambda count: bar.advance(task, count)


def arun(command: str, work: Coroutine[Any, Any, Result], *, failed: int = 1) -> Result:
    """Run it to its end. A `kill` leaves as little behind as Ctrl-C does.

    Ends the command where the database cannot be had; `failed` is its status then.
    """
    # Ctrl-C too: whoever starts us in the background may have us ignore it.
    before = {}
    with suppress(ValueError):  # only the main thread may; elsewhere nobody sends us signals
        for number in (signal.SIGINT, signal.SIGTERM):
            before[number] = signal.signal(number, signal.default_int_handler)
    try:
        return asyncio.run(work)
    except StoreError as error:
        typer.echo(f"gated tariff {command}: {error}", err=True)
        raise typer.Exit(failed) from None
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
