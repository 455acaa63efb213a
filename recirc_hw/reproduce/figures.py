"""Figures of the reproductions; drawn on `Figure` alone, so that no window is needed."""

from itertools import cycle

import numpy as np
from matplotlib.figure import Figure

# Okabe & Ito 2008: eight colours that colour-blind readers tell apart.
COLOURS = (
    "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#7F7F7F",
)  # fmt: skip
MARKERS = "osD^vPX<"


def new_figure(columns=1, rows=1, *, width=None, height=None):
    """Return a figure and its axes, shape (rows * columns,)."""
    size = (width or min(10.0, 2.0 + 4.5 * columns), height or 0.7 + 3.9 * rows)
    figure = Figure(figsize=size, dpi=100, layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for ax in axes:
        ax.grid(alpha=0.25, linewidth=0.6)
        ax.spines[["top", "right"]].set_visible(False)
    return figure, axes


def styles():
    """Yield a colour and a marker for each line, one after another."""
    yield from cycle(zip(COLOURS, MARKERS, strict=True))


def draw_curves(ax, curves, *, title, x, y, log_x=False, log_y=False, markers=True):
    """Draw labelled lines; one that repeats an earlier one is dashed, so that both show.

    Parameters
    ----------
    curves : dict of str to (x values, y values)
    """
    drawn = []
    for (label, (xs, ys)), (colour, marker) in zip(curves.items(), styles(), strict=False):
        repeats = any(_same((xs, ys), others) for others in drawn)
        drawn.append((xs, ys))
        ax.plot(
            xs, ys, color=colour, marker=marker if markers else None, markersize=4.5,
            linewidth=1.7, linestyle=(0, (4, 4)) if repeats else "-", label=label,
        )  # fmt: skip
    ax.set(title=title, xlabel=x, ylabel=y)
    if log_x:
        ax.set_xscale("log")
    if log_y:
        ax.set_yscale("log")
    ax.legend(frameon=False, fontsize=9)


def sorted_line(values):
    """Return a dict of numbers as the x and y values of a line."""
    return sorted(values), [values[x] for x in sorted(values)]


def _same(first, second):
    """Whether two lines lie on each other for most of their length."""
    if len(first[0]) != len(second[0]) or not np.array_equal(first[0], second[0]):
        return False
    return np.mean(np.isclose(first[1], second[1], rtol=0.01)) > 0.7


def legend_above(ax, columns=2):
    """Make room for the legend above the lines of a linear axis."""
    low, high = ax.get_ylim()
    rows = -(-len(ax.get_lines()) // columns)
    ax.set_ylim(low, high + 0.08 * rows * (high - low))
    ax.legend(frameon=False, fontsize=9, ncols=columns, loc="upper right")


def picture_rows(rows, shape, title):
    """Return a figure of images: one row per label, black ink on white.

    Parameters
    ----------
    rows : dict of str to float array, shape (n_images, n_pixels), values 0..1
    shape : (rows, columns) of an image
    """
    columns = len(next(iter(rows.values())))
    size = (min(10.0, columns + 1.0), 0.9 * len(rows) + 0.6)
    figure = Figure(figsize=size, dpi=100, layout="constrained")
    figure.suptitle(title)
    axes = figure.subplots(len(rows), columns, squeeze=False)
    for line, (label, images) in zip(axes, rows.items(), strict=True):
        for ax, image in zip(line, images, strict=True):
            ax.imshow(image.reshape(shape), cmap="gray_r", vmin=0, vmax=1)
            ax.set(xticks=[], yticks=[])
            ax.spines[:].set_visible(False)
        line[0].set_ylabel(label, rotation=0, ha="right", va="center")
    return figure
