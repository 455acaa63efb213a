"""Pictures of sweeps: yields over one field and over two, and energy against error."""

import math
import string
from textwrap import fill, shorten

import numpy as np

from recirc_hw.reports.style import (
    COLOURS,
    INK,
    MUTED,
    Picture,
    legend_above,
    line_style,
    log_where_wide,
    message,
    short,
    styled,
)
from recirc_hw.reports.sweep_cells import front

MARKS = "osD^vP"
LINES = len(MARKS)  # curves in one picture
TITLE = 80  # characters of a line of a title
LEGEND = 90  # characters beside one another in a legend
MARKED = 60  # points of a curve up to which each has its mark
PANELS = 12  # maps in one picture
TICKS = 12  # of an axis of kinds
NUMBERED = 14  # columns of a map up to which the shares stand in it
DARK = 0.6  # shares above it have a dark shade
SHADES = "Blues"
LETTERS = string.ascii_uppercase


# -- curves ------------------------------------------------------------------------------


@styled
def yield_curves(cells, field, by=None):
    """Draw the yield against a field with its bands; a curve for each value of another."""
    kinds = [None] if by is None else list(range(len(by.kinds)))
    picture = Picture(height=3.9)
    ax = picture.subplots()
    for place in kinds:
        here = cells.done if by is None else cells.done & (by.place == place)
        name = (
            None
            if by is None
            else shorten(f"{by.short_name} {by.told(by.kinds[place])}", 70, placeholder="…")
        )
        _curve(ax, cells, field, here, place or 0, name)
    _mark_none(ax, field.at[~cells.done])
    ax.set(xlabel=field.name, ylabel="chips that learn, %", ylim=(-3, 103))
    _scale(ax.xaxis, field)
    title = f"Yield against {field.name}" + (f", by {by.name}" if by else "")
    longest = max(map(len, ax.get_legend_handles_labels()[1]), default=1)
    legend_above(ax, columns=max(1, min(4, LEGEND // (longest + 5))), title=fill(title, TITLE))
    picture.columns = cells.columns(cells.done)
    picture.alt = f"{title}: {_extremes(cells)}"
    return picture


def _curve(ax, cells, field, here, index, name):
    """Draw one curve with its band; kinds that are no numbers are not joined."""
    order = np.flatnonzero(here)[np.argsort(field.at[here], kind="stable")]
    x, share = field.at[order], 100 * cells.share[order]
    low, high = 100 * cells.low[order], 100 * cells.high[order]
    style, mark = line_style(index), MARKS[index % LINES]
    if not field.numeric:
        x = x + 0.12 * ((index + 1) // 2) * (-1) ** index  # intervals beside one another
        ax.vlines(x, low, high, color=style["color"], linewidth=1.4)
        ax.plot(x, share, mark, color=style["color"], markersize=5.5, label=name)
        return
    ax.fill_between(x, low, high, color=style["color"], alpha=0.15, linewidth=0)
    mark = mark if len(order) <= MARKED else ""
    ax.plot(x, share, mark, **style, linewidth=1.2, markersize=5.5, label=name)


# -- maps --------------------------------------------------------------------------------


@styled
def yield_maps(cells, across, up, panels=()):
    """Draw the yield over two fields, a map for each combination of the values of others."""
    groups = _groups(cells, panels)
    columns = min(3, len(groups))
    rows = math.ceil(len(groups) / columns)
    picture = Picture(height=min(4.4, 1.2 + 0.42 * len(up.kinds)) if rows == 1 else 2.6 * rows)
    axes = picture.subplots(rows, columns, squeeze=False, sharex=True, sharey=True).ravel()
    seen = None
    for ax, (title, here) in zip(axes, groups, strict=False):
        seen = _map(ax, cells, across, up, here, small=columns > 1)
        ax.set_title(title)
    for ax in axes[len(groups) :]:
        ax.set_axis_off()
    for i, ax in enumerate(axes[: len(groups)]):
        below_is_empty = i + columns >= len(groups)
        ax.tick_params(labelbottom=below_is_empty)
        ax.set_xlabel(across.short_name if below_is_empty else "")
        ax.set_ylabel(up.short_name if i % columns == 0 else "")
    picture.colorbar(seen, ax=list(axes), label="chips that learn, %")
    picture.columns = cells.columns(cells.done)
    picture.alt = f"Yield over {across.name} and {up.name}: {_extremes(cells)}"
    return picture


def _groups(cells, panels):
    """Return (title, cells) for each combination of the panels' values."""
    groups = [("", np.ones(cells.count, bool))]
    for field in panels:
        groups = [
            (f"{title}{', ' if title else ''}{field.short_name} {field.told(kind)}",
             here & (field.place == place))
            for title, here in groups
            for place, kind in enumerate(field.kinds)
        ]  # fmt: skip
    return groups


def _map(ax, cells, across, up, here, small):
    """Draw one map: shades, and the shares as numbers where there is room."""
    image = np.full((len(up.kinds), len(across.kinds)), np.nan)
    some = here & cells.done
    image[up.place[some], across.place[some]] = 100 * cells.share[some]
    seen = ax.imshow(
        image, cmap=SHADES, vmin=0, vmax=100, origin="lower", aspect="auto",
        interpolation="nearest",
    )  # fmt: skip
    ax.grid(visible=False)
    for axis, field in ((ax.xaxis, across), (ax.yaxis, up)):
        _kind_ticks(axis, field, 6 if small and axis is ax.xaxis else TICKS)
    room = NUMBERED // 2 if small else NUMBERED
    if len(across.kinds) <= room and len(up.kinds) <= 2 * NUMBERED:
        for (row, column), share in np.ndenumerate(image):
            text = "–" if np.isnan(share) else f"{share:.0f}"
            colour = "white" if share > 100 * DARK else INK
            ax.text(column, row, text, ha="center", va="center", fontsize=8, color=colour)
    return seen


@styled
def yield_points(cells, across, up):
    """Draw the yields of a sample at its places over two fields."""
    picture = Picture(height=4.2)
    ax = picture.subplots()
    seen = ax.scatter(
        across.at[cells.done], up.at[cells.done], c=100 * cells.share[cells.done], cmap=SHADES,
        vmin=0, vmax=100, s=_size(cells.count), edgecolors=INK, linewidths=0.5, zorder=3,
    )  # fmt: skip
    picture.colorbar(seen, ax=ax, label="chips that learn, %")
    if not cells.done.all():
        no = ~cells.done
        ax.plot(
            across.at[no], up.at[no], "x", color=MUTED, linestyle="none", label="no such chip"
        )
    ax.set(xlabel=across.name, ylabel=up.name)
    _scale(ax.xaxis, across)
    _scale(ax.yaxis, up)
    legend_above(ax)
    picture.columns = cells.columns(cells.done)
    picture.alt = f"Yield at samples of {across.name} and {up.name}: {_extremes(cells)}"
    return picture


# -- many fields -------------------------------------------------------------------------


@styled
def yield_by_field(cells):
    """Draw the yields of all cells against each field in turn, and their means."""
    fields = cells.fields
    columns = min(2, len(fields))
    rows = math.ceil(len(fields) / columns)
    picture = Picture(height=2.5 * rows + 0.3)
    axes = picture.subplots(rows, columns, squeeze=False, sharey=True).ravel()
    for ax, field in zip(axes, fields, strict=False):
        at, share = field.at[cells.done], 100 * cells.share[cells.done]
        ax.plot(
            at, share, "o", color=COLOURS[0], alpha=_paleness(cells.count), markersize=4,
            markeredgewidth=0, label="a cell",
        )  # fmt: skip
        x, mean = _means(field, at, share)
        line = "-" if field.numeric else "none"
        ax.plot(x, mean, color=INK, marker="D", markersize=4, linestyle=line, label="mean")
        ax.set(xlabel=field.name, ylim=(-4, 104))
        _scale(ax.xaxis, field)
    for ax in axes[len(fields) :]:
        ax.set_axis_off()
    for ax in axes[::columns]:
        ax.set_ylabel("chips that learn, %")
    legend_above(axes[0])
    picture.columns = cells.columns(cells.done)
    names = ", ".join(field.name for field in fields)
    picture.alt = f"Yield of every cell against each of {names}: {_extremes(cells)}"
    return picture


def _means(field, at, share):
    """Return the means over cells at each value, or over tenths where values are many."""
    if len(field.kinds) <= 2 * TICKS:
        places = np.unique(at)
        return places, [share[at == place].mean() for place in places]
    edges = np.quantile(at, np.linspace(0, 1, 11))
    bins = np.clip(np.searchsorted(edges, at, side="right") - 1, 0, 9)
    kept = [k for k in range(10) if (bins == k).any()]
    return [at[bins == k].mean() for k in kept], [share[bins == k].mean() for k in kept]


# -- energy against error ----------------------------------------------------------------


@styled
def tradeoff(cells):
    """Draw each cell's error against its energy, and the cells that none beats in both."""
    energy, error = cells.energy_nj, cells.mean_error
    best = front(energy, error)
    if not best.size:
        return message("No cell has both an energy and an error.")
    picture = Picture(height=4.2)
    ax = picture.subplots()
    others = np.isfinite(energy) & np.isfinite(error)
    others[best] = False
    ax.plot(
        energy[others], error[others], "o", color=MUTED, alpha=max(0.4, _paleness(cells.count)),
        markersize=4.5, markeredgewidth=0, label="beaten in both",
    )  # fmt: skip
    ax.plot(
        energy[best], error[best], "D", color=COLOURS[1], linestyle="-", linewidth=1.4,
        drawstyle="steps-post", markersize=7, label="Pareto front", zorder=4,
    )  # fmt: skip
    for letter, i in zip(LETTERS, best, strict=False):
        ax.annotate(
            letter, (energy[i], error[i]), (6, 6), textcoords="offset points", fontsize=9,
            fontweight="bold",
        )  # fmt: skip
    ax.set(xlabel="energy of a learned example, nJ", ylabel="mean squared error at the end")
    for axis, values in ((ax.xaxis, energy), (ax.yaxis, error)):
        log_where_wide(axis, values)
    legend_above(ax)
    known = np.isfinite(energy) & np.isfinite(error)
    marked = np.isin(np.flatnonzero(known), best)
    picture.columns = cells.columns(known) | {
        "energy, nJ": energy[known], "mean squared error": error[known],
        "on the front": ["yes" if one else "no" for one in marked],
    }  # fmt: skip
    picture.alt = (
        f"Error against energy of {known.sum():,} cells. On the Pareto front {best.size}: from "
        f"{short(_round(energy[best[0]]))} nJ with error {short(_round(error[best[0]]))} to "
        f"{short(_round(energy[best[-1]]))} nJ with {short(_round(error[best[-1]]))}."
    )
    return picture


# -- axes --------------------------------------------------------------------------------


def _extremes(cells):
    """Return the least and the largest yield in words, and how many cells have none."""
    share = cells.share[cells.done]
    if not share.size:
        return "no cell has a result."
    none = np.count_nonzero(~cells.done)
    rest = f"; {none:,} cells could not be built or failed" if none else ""
    return f"{100 * share.min():.0f} to {100 * share.max():.0f} % of chips learn{rest}."


def _mark_none(ax, at):
    """Mark where cells have no yield."""
    if at.size:
        ax.plot(
            at, np.zeros(at.size), "x", color=MUTED, linestyle="none", markersize=7,
            label="no such chip",
        )  # fmt: skip


def _scale(axis, field):
    """Scale an axis by a field: kinds by name, whole numbers so, wide ranges by decades."""
    if not field.numeric:
        _kind_ticks(axis, field, TICKS)
        axis.axes.margins(**{axis.axis_name: 0.1})
    elif all(float(value).is_integer() for value in field.kinds) and len(field.kinds) <= 40:
        axis.get_major_locator().set_params(integer=True)
    else:
        log_where_wide(axis, field.kinds)


def _kind_ticks(axis, field, most):
    """Label an axis of kinds, some of them where they are many."""
    step = math.ceil(len(field.kinds) / most)
    places = np.arange(0, len(field.kinds), step)
    names = [field.told(field.kinds[i]) for i in places]
    long = axis.axis_name == "x" and sum(map(len, names)) > 60
    turned = {"rotation": 30, "ha": "right"} if long else {}
    axis.axes.set(**{f"{axis.axis_name}ticks": places})
    getattr(axis.axes, f"set_{axis.axis_name}ticklabels")(names, **turned)


def _paleness(count):
    """Return how pale to draw one of so many dots."""
    return float(np.clip(30 / max(count, 1) ** 0.7, 0.04, 0.6))


def _size(count):
    """Return the area of one of so many dots."""
    return float(np.clip(8000 / max(count, 1), 6, 90))


def _round(value):
    """Return a number with three digits."""
    return float(f"{value:.3g}")
