"""What `gated db verify` shows: a spinner while the database counts, then a line per finding."""

import getpass
from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from gated.cli import listing
from gated.cli.screen import screen
from gated.db import verify
from gated.db.verify import Drift


async def verified(dsn: str, facility: str | None) -> list[Drift]:
    """What says two things."""
    with Console(stderr=True).status("counting"):  # shows itself on a terminal only
        return await verify.verify(dsn, facility)


async def repaired(dsn: str, found: Sequence[Drift]) -> list[Drift]:
    """What was wrong in the facilities of `found`, and what is mended."""
    with Console(stderr=True).status("mending") as status:
        return await verify.repair(
            dsn,
            found,
            f"operator {getpass.getuser()}",
            lambda slug: status.update(f"mending {slug}"),
        )


def show(found: Sequence[Drift]) -> None:
    """A table of the findings, and one line that says it all."""
    console = screen()
    if not found:
        console.print("everything that is kept twice says the same", markup=False)
        return
    words = {None: "", True: "mended", False: "left"}
    listing.show(
        ("facility", "what", "id", "stated", "counted", "outcome"),
        [
            (
                drift.facility or "-",
                drift.field,
                str(drift.subject),
                drift.stated or "none",
                drift.counted or "none",
                Text(words[drift.mended], style="green" if drift.mended else "red"),
            )
            for drift in found
        ],
        below=("id",),
    )
    left = sum(not drift.mended for drift in found)
    tried = any(drift.mended is not None for drift in found)
    if not tried:
        console.print(f"{len(found)} differ: --repair mends what follows from something else")
    elif left:
        console.print(f"{len(found) - left} mended, {left} left for an operator to decide")
    else:
        console.print(f"{len(found)} mended")
