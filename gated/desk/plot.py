"""Prices over the length of a stay as a picture. matplotlib is the extra `gated[plot]`."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING

from gated.core.errors import ConfigError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SUFFIXES = (".png", ".svg", ".pdf")
# Okabe and Ito's palette, which colour-blind readers tell apart, without its yellow: that one is
# lost on white.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000")
INK, SOFT, HAIR = "#222222", "#666666", "#d9d9d9"
# Labels of limits that are closer than this share of the axis would lie on one another.
LABEL_GAP = 0.028
LABEL_COLUMNS = 32
MARKED_MAX = 60


@dataclass(frozen=True, slots=True)
class Trace:
    """One curve: lengths in minutes with prices, and the lengths at which the clock reaches
    a limit.
    """

    label: str
    points: Sequence[tuple[int, Decimal]]
    marks: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Picture:
    """What is drawn. `lengths`: limits of every curve, in minutes. `amounts`: caps and the like."""

    title: str
    subtitle: str
    currency: str
    decimals: int
    traces: Sequence[Trace]
    lengths: Sequence[tuple[int, str]] = field(default_factory=tuple)
    amounts: Sequence[tuple[Decimal, str]] = field(default_factory=tuple)


def check_output(file: Path) -> None:
    """Find out before the work, not after it. Raises ConfigError."""
    if file.suffix.lower() not in SUFFIXES:
        raise ConfigError(
            f"--output: expected a file that ends in {', '.join(SUFFIXES)}, got {file}"
        )
    if not file.parent.is_dir():
        raise ConfigError(f"--output: there is no folder {file.parent}")
    if find_spec("matplotlib") is None:
        raise ConfigError(
            "pictures need matplotlib, which is not installed: run, in gated's folder,"
            " pip install --constraint constraints.txt '.[plot]'"
        )


def draw(picture: Picture, file: Path) -> None:
    """Write the picture; the suffix says as what. Raises ConfigError if that cannot be."""
    from matplotlib import rc_context  # noqa: PLC0415 - an extra

    # Text stays text in an SVG, and the same picture is the same file.
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "gated", "font.size": 9.5}):
        figure = _figure(picture)
        date = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}
        try:
            figure.savefig(
                file,
                dpi=160,
                facecolor="white",
                bbox_inches="tight",
                pad_inches=0.25,
                metadata=date.get(file.suffix.lower()),
            )
        except OSError as error:
            reason = error.strerror or str(error)
            raise ConfigError(f"cannot be written: {reason}", place=str(file)) from error


def _figure(picture: Picture) -> "Figure":
    from matplotlib.figure import Figure  # noqa: PLC0415 - an extra

    figure = Figure(figsize=(10.5, 5.6))
    axes = figure.add_axes((0.07, 0.11, 0.69, 0.70))
    end = max((minutes for trace in picture.traces for minutes, _ in trace.points), default=60)
    top = max(
        (amount for trace in picture.traces for _, amount in trace.points), default=Decimal(1)
    )
    axes.set_xlim(0, end / 60)
    axes.set_ylim(0, float(top) * 1.06 or 1)
    _amounts(axes, picture, float(top) * 1.06)
    _lengths(axes, picture, end)
    _traces(axes, picture)
    _frame(axes, picture, end)
    return figure


def _traces(axes: "Axes", picture: Picture) -> None:
    count = len(picture.traces)
    for index, trace in enumerate(picture.traces):
        colour = COLOURS[index % len(COLOURS)]
        hours = [minutes / 60 for minutes, _ in trace.points]
        amounts = [float(amount) for _, amount in trace.points]
        # Where curves lie on one another the wider one below shows on both sides.
        width = 1.7 + 1.5 * (count - 1 - index) / max(count - 1, 1)
        axes.step(
            hours,
            amounts,
            where="pre",
            color=colour,
            linewidth=width,
            label=fill(trace.label, LABEL_COLUMNS),
            solid_joinstyle="miter",
            zorder=3 + index / 100,
        )
        _marks(axes, trace, colour, index)
    if any(trace.marks for trace in picture.traces):
        axes.plot(
            [],
            [],
            marker="o",
            linestyle="none",
            markersize=4.5,
            markerfacecolor="white",
            markeredgecolor=SOFT,
            label="the clock reaches a limit:\nband, day or special",
        )


def _marks(axes: "Axes", trace: Trace, colour: str, index: int) -> None:
    by_minutes = dict(trace.points)
    at = [minutes for minutes in trace.marks if minutes in by_minutes]
    axes.plot(
        [minutes / 60 for minutes in at],
        [float(by_minutes[minutes]) for minutes in at],
        marker="o",
        linestyle="none",
        markersize=4.5,
        markerfacecolor="white",
        markeredgecolor=colour,
        markeredgewidth=1.1,
        zorder=4 + index / 100,
        clip_on=False,
    )


def _lengths(axes: "Axes", picture: Picture, end: int) -> None:
    """Hair lines at the limits in length, told above the frame where there is room."""
    inside = [(minutes, label) for minutes, label in picture.lengths if 0 < minutes < end]
    last = -1.0
    for minutes, label in inside[:MARKED_MAX]:
        axes.axvline(minutes / 60, color=HAIR, linewidth=0.8, zorder=1)
        share = minutes / end
        if share - last < LABEL_GAP:
            continue
        last = share
        axes.annotate(
            label,
            (share, 1.0),
            xycoords="axes fraction",
            xytext=(1, 4),
            textcoords="offset points",
            rotation=38,
            rotation_mode="anchor",
            ha="left",
            va="bottom",
            fontsize=7.5,
            color=SOFT,
        )


def _amounts(axes: "Axes", picture: Picture, top: float) -> None:
    """Dashed lines at caps and the like, told above their left end, where curves are still low."""
    for amount, label in picture.amounts:
        if not 0 < float(amount) <= top:
            continue
        axes.axhline(float(amount), color=SOFT, linewidth=0.8, linestyle=(0, (5, 4)), zorder=2)
        axes.annotate(
            label,
            (0.0, float(amount)),
            xycoords=("axes fraction", "data"),
            xytext=(6, 3),
            textcoords="offset points",
            va="bottom",
            fontsize=8,
            color=SOFT,
        )


def _frame(axes: "Axes", picture: Picture, end: int) -> None:
    from matplotlib.ticker import FuncFormatter, MultipleLocator  # noqa: PLC0415 - an extra

    axes.xaxis.set_major_locator(MultipleLocator(_hours_between_ticks(end)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda hours, _: f"{hours:g}"))
    axes.yaxis.set_major_formatter(
        FuncFormatter(lambda amount, _: f"{amount:,.{picture.decimals}f}".replace(",", "\u2009"))
    )
    axes.set_xlabel("length of the stay (hours)", color=INK, labelpad=6)
    axes.set_ylabel(f"price ({picture.currency})", color=INK, labelpad=8)
    axes.grid(axis="y", color="#eeeeee", linewidth=0.8, zorder=0)
    axes.set_axisbelow(True)
    axes.tick_params(colors=SOFT, length=3)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(SOFT)
    # Above the frame: the slanted labels, the subtitle, the title.
    longest = max((len(label) for _, label in picture.lengths), default=0)
    height = 12 + (8 + 2.5 * longest if longest else 0)
    for text, above, size, weight, colour in (
        (picture.title, height + 16, 14, "bold", INK),
        (picture.subtitle, height, 9.5, "normal", SOFT),
    ):
        axes.annotate(
            text,
            (0, 1),
            xycoords="axes fraction",
            xytext=(0, above),
            textcoords="offset points",
            fontsize=size,
            fontweight=weight,
            color=colour,
        )
    legend = axes.legend(
        title="entry",
        loc="upper left",
        bbox_to_anchor=(1.03, 1.0),
        borderaxespad=0,
        frameon=False,
        labelspacing=0.9,
        handlelength=2.2,
        alignment="left",
    )
    legend.get_title().set_color(INK)
    legend.get_title().set_fontweight("bold")


def _hours_between_ticks(minutes: int) -> float:
    hours = minutes / 60
    for step in (0.25, 0.5, 1, 2, 3, 6, 12, 24, 48, 168):
        if hours / step <= 13:
            return step
    return 720
