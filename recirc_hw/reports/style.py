"""The one look of all figures; drawn on `Figure` alone, so that no window is needed."""

import io
import math
from functools import wraps

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

# Okabe & Ito 2008: colours that colour-blind readers tell apart. Lines also differ in dash.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
DASHES = ("-", (0, (5, 1.5)), (0, (1.5, 1.2)), (0, (6, 1.5, 1.5, 1.5)), "-", (0, (5, 1.5)))
INK, MUTED, RULE = "#1c2024", "#5c6670", "#d5dae0"
DIVERGING = "RdBu_r"  # red above 0, blue below
IMAGE = "gray_r"  # ink on paper

WIDTH = 7.2  # inches; the page's column is as wide
DPI = 100  # pixels of the page per inch
SHARPNESS = 2  # pixels of the PNG per pixel of the page

LOOK = {
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "axes.titlesize": 10.5,
    "axes.titlelocation": "left",
    "axes.titlepad": 8,
    "axes.labelsize": 10,
    "axes.labelcolor": INK,
    "axes.edgecolor": MUTED,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": RULE,
    "grid.linewidth": 0.6,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "legend.fontsize": 9,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "text.color": INK,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "text.parse_math": False,
}


class Picture(Figure):
    """A figure that also says in words and in numbers what it shows.

    `alt` is a text for readers who do not see it. `columns` holds the numbers
    drawn, as arrays of one length by name.
    """

    alt = ""

    def __init__(self, width=WIDTH, height=3.4):
        super().__init__(figsize=(width, height), dpi=DPI, layout="constrained")
        self.get_layout_engine().set(w_pad=0.1, h_pad=0.08)
        self.columns = {}


def styled(draw):
    """Run a drawing function with the common look, and leave all settings as they were."""

    @wraps(draw)
    def drawn(*args, **options):
        with matplotlib.rc_context(LOOK):
            return draw(*args, **options)

    return drawn


def png(figure):
    """Return a figure as the bytes of a PNG file, the same bytes for the same figure."""
    stream = io.BytesIO()
    sharpness = SHARPNESS * DPI
    with matplotlib.rc_context(LOOK):
        figure.savefig(stream, format="png", dpi=sharpness, metadata={"Software": None})
    return stream.getvalue()


def line_style(index):
    """Return the colour and the dash of the line number `index`."""
    place = index % len(COLOURS)
    return {"color": COLOURS[place], "linestyle": DASHES[place]}


def message(text, height=1.6):
    """Return a picture that says why there is nothing to draw."""
    picture = Picture(height=height)
    picture.text(0.5, 0.5, text, ha="center", va="center", color=MUTED, fontsize=11, wrap=True)
    picture.alt = text
    return picture


def legend_above(ax, columns=3, title="", rows=0):
    """Put the legend above the axes, off the data, and the title above the legend.

    `rows` is how many rows of legend the title leaves room for, at least.
    """
    names = ax.get_legend_handles_labels()[1]
    if names:
        ax.legend(
            loc="lower left", bbox_to_anchor=(-0.01, 1.0), ncols=columns, borderpad=0.1,
            borderaxespad=0.3, handlelength=2.2, columnspacing=1.6,
        )  # fmt: skip
    rows = max(rows, -(-len(names) // columns))
    ax.set_title(title, pad=8 + 15 * rows)


def update_axis(ax, last, first=0):
    """Scale the x axis by weight updates, logarithmic but for 0, which is shown."""
    last = max(float(last), 1.0)
    ax.set_xlabel("weight updates")
    if first > 0:
        ax.set_xscale("log")
        low, ticks = first, _decades(first, last)
    else:
        ax.set_xscale("symlog", linthresh=1, linscale=0.4)
        low, ticks = -0.1, [0, *_decades(1, last)]
    ax.set_xlim(low if low < last else low / 2, last * 1.12)
    _set_ticks(ax.xaxis, ticks, [f"{tick:,.0f}" for tick in ticks])


def error_axis(ax, values):
    """Scale the y axis logarithmically, with plain numbers beside few ticks."""
    values = np.asarray(values, float)
    values = values[np.isfinite(values) & (values > 0)]
    if not values.size:
        return
    low, high = np.log10([values.min(), values.max()])
    margin = 0.1 + 0.04 * (high - low)
    ax.set_yscale("log")
    ax.set_ylim(10 ** max(low - margin, -300), 10 ** min(high + margin, 300))
    ticks = _decades(*ax.get_ylim())
    _set_ticks(ax.yaxis, ticks, [short(tick) for tick in ticks])


def log_where_wide(axis, values):
    """Scale an axis logarithmically, with plain numbers, where values span a factor of 50."""
    values = np.asarray(values, float)
    values = values[np.isfinite(values)]
    if not values.size or values.min() <= 0 or values.max() < 50 * values.min():
        return
    axis.axes.set(**{f"{axis.axis_name}scale": "log"})
    ticks = _decades(*sorted(axis.get_view_interval()))
    _set_ticks(axis, ticks, [short(tick) for tick in ticks])


def image_grid(picture, rows, columns, box):
    """Return axes for a grid of small images; `box` is (left, bottom, width, height), inches.

    One pair of axes holds all of them: a pair for each would take seconds to draw.
    """
    width, height = picture.get_size_inches()
    left, bottom, wide, tall = box
    ax = picture.add_axes((left / width, bottom / height, wide / width, tall / height))
    ax.set(xlim=(-0.01, columns), ylim=(rows, -0.01))
    ax.set_axis_off()
    return ax


def small_image(ax, place, values, colours, limits):
    """Draw an image, framed, at (row, column) of a grid; return what a colour bar needs."""
    row, column = place
    size = 0.94
    ax.add_patch(Rectangle((column, row), size, size, fill=False, ec=MUTED, lw=0.5, zorder=2))
    return ax.imshow(
        values, cmap=colours, vmin=limits[0], vmax=limits[1], interpolation="nearest",
        aspect="auto", extent=(column, column + size, row + size, row),
    )  # fmt: skip


def short(value):
    """Return a tick's number as people write it: 0.001, 20, 1e−6."""
    if 1e-4 <= abs(value) < 1e5 or value == 0:
        return f"{value:g}".replace("-", "−")
    digits, exponent = f"{value:.0e}".split("e")
    return f"{digits}e{int(exponent)}".replace("-", "−")


def _decades(low, high):
    """Return round ticks in low..high: powers of ten, and steps between where those are few."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    step = max(1, (last - first) // 6)
    inside = [10.0**k for k in range(first, last + 1, step) if low <= 10.0**k <= high]
    for steps in ((1, 2, 5), (1, 2, 3, 4, 5, 7)):
        if len(inside) > 2:
            break
        fine = [d * 10.0**k for k in range(first - 1, last + 1) for d in steps]
        inside = [tick for tick in fine if low <= tick <= high]
    return inside or [low]


def _set_ticks(axis, ticks, labels):
    axis.set_major_locator(FixedLocator(ticks))
    axis.set_major_formatter(FixedFormatter(labels))
    axis.set_minor_locator(NullLocator())
