"""Pictures of the flagship study's own answers: loaded against learned, and two rules."""

import io

import matplotlib
import numpy as np

from recirc_hw.reports.style import (
    COLOURS,
    INK,
    LOOK,
    MUTED,
    RULE,
    Picture,
    legend_above,
    line_style,
    styled,
)

# attribute of a point: (label, marker)
WAYS = {
    "learned": ("learned on the chip", "o"),
    "loaded": ("an ideal chip's weights, loaded", "v"),
    "tuned": ("loaded, then learned on", "s"),
}
MISMATCH = "substrate.*_mismatch"
SIDE = 0.006  # of the x axis: how far marks at the same place stand apart
# What the picture of the README changes where the reader's screen is dark.
DARK = {
    INK: "#e6e9ec", MUTED: "#9aa5af", RULE: "#3a424a",
    COLOURS[0]: "#56B4E9", COLOURS[1]: "#F08A3C", COLOURS[2]: "#2FBF95",
}  # fmt: skip


@styled
def transfer_figure(transfer):
    """Draw the share of chips that work, loaded and learned, within intervals."""
    picture = Picture(height=3.7)
    ax = picture.subplots()
    varied = transfer.name is not None
    x = np.arange(len(transfer.points), dtype=float)
    if varied:
        x = np.array([100 * point.value for point in transfer.points])
    span = max(float(np.ptp(x)), 1.0)
    for k, (way, (label, mark)) in enumerate(WAYS.items()):
        found = [getattr(point, way) for point in transfer.points]
        share = 100 * np.array([one.share for one in found])
        low, high = 100 * np.array([one.interval for one in found]).T
        at = x + SIDE * span * (k - 1)
        style = line_style(k)
        ax.plot(at, share, marker=mark, markersize=6, label=label, **style)
        ax.vlines(at, low, high, color=style["color"], linewidth=1.4)
    ax.set(ylabel="chips that work, %", ylim=(-4, 104))
    if varied:
        ax.set(xlabel=_axis_name(transfer.name), xlim=(x[0] - 0.03 * span, x[-1] + 0.03 * span))
    else:
        ax.set_xticks([])
    legend_above(ax, columns=3, title=_transfer_title(transfer))
    picture.columns = _transfer_columns(transfer)
    picture.alt = f"{_transfer_title(transfer)}: " + "; ".join(
        f"{'as designed' if point.value is None else f'at {point.value:g}'} loaded weights "
        f"work on {100 * point.loaded.share:.0f} %, learned ones on "
        f"{100 * point.learned.share:.0f} %" for point in transfer.points
    )  # fmt: skip
    return picture


def _axis_name(name):
    return "mismatch of every part, %" if name == MISMATCH else f"{name}, %"


def _transfer_title(transfer):
    task = transfer.points[0].learned.task
    return f"{task}: {transfer.chips} chips at each mark, bars are 95\u00a0% intervals"


def _transfer_columns(transfer):
    """Return the numbers of a comparison by name."""
    points = transfer.points
    columns = {
        "value": [np.nan if point.value is None else point.value for point in points],
        "chips": [point.learned.chips for point in points],
    }
    for way in WAYS:
        found = [getattr(point, way) for point in points]
        columns |= {
            f"{way}: share": [one.share for one in found],
            f"{way}: low": [one.interval[0] for one in found],
            f"{way}: high": [one.interval[1] for one in found],
        }
    return columns


@styled
def rivals_figure(rivals):
    """Draw the energy of an inference and of the learning, by two rules."""
    picture = Picture(height=2.6)
    ax = picture.subplots()
    costs = (rivals.own, rivals.other)
    names = [one.name.partition(" on ")[0] for one in costs]
    start = np.zeros(len(costs))
    for k, (phase, label) in enumerate(
        (("inference", "an inference"), ("learning", "learning, in addition"))
    ):
        part = np.array([one.energy_pj[phase] / 1000 for one in costs])
        hatch = "" if k == 0 else "////"
        ax.barh(
            names, part, 0.5, left=start, color=COLOURS[k], label=label, hatch=hatch,
            edgecolor="white",
        )  # fmt: skip
        start = start + part
    ax.invert_yaxis()
    ax.grid(axis="y", visible=False)
    ax.set_xlabel("nJ for one learned example")
    legend_above(ax, title=f"Energy by price list {rivals.own.prices.name}")
    picture.columns = {
        "rule": names,
        **{
            f"{phase}, pJ": [one.energy_pj[phase] for one in costs]
            for phase in ("inference", "learning", "learned_example")
        },
        "weights read backwards": [one.counts.memory.transposed_reads for one in costs],
        "words of state kept": [one.counts.memory.state_words for one in costs],
    }
    picture.alt = "; ".join(
        f"{name}: {one.energy_pj['learned_example'] / 1000:.3g} nJ a learned example"
        for name, one in zip(names, costs, strict=True)
    )
    return picture


def svg(figure):
    """Return a figure as an SVG file that suits light screens and dark ones.

    The same bytes for the same figure.
    """
    stream = io.StringIO()
    settings = LOOK | {"svg.hashsalt": "recirc_hw", "svg.fonttype": "path"}
    with matplotlib.rc_context(settings):
        figure.savefig(
            stream, format="svg", transparent=True, metadata={"Date": None, "Creator": None}
        )
    text = "\n".join(line.rstrip() for line in stream.getvalue().splitlines())
    rules = "".join(
        f'[style*="{kind}: {light.lower()}"]{{{kind}:{dark}!important}}'
        for light, dark in DARK.items()
        for kind in ("fill", "stroke")
    )
    style = f"<style>@media (prefers-color-scheme:dark){{{rules}}}</style>"
    head, defs, rest = text.partition(" <defs>")
    return f"{head} {style}\n{defs}{rest}\n".encode()
