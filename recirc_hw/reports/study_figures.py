"""Pictures of studies: yields over a field, frontiers, and which effect is to blame."""

import math
from textwrap import fill
from typing import NamedTuple

import numpy as np
from matplotlib.lines import Line2D

from recirc_hw.reports.distributions import share_learned
from recirc_hw.reports.study_words import blame_sentence, frontier_sentence, limit_sentence
from recirc_hw.reports.style import (
    COLOURS,
    INK,
    MUTED,
    RULE,
    Picture,
    legend_above,
    log_where_wide,
    message,
    short,
    styled,
)

TITLE = 80  # characters of a line of a title
MARKS = {"holds": ("o", COLOURS[0]), "undecided": ("D", "white"), "fails": ("v", COLOURS[1])}
NO_CHIP = {"color": MUTED, "linestyle": "none", "label": "no such chip", "markersize": 7}
DARK = 0.6  # shares above it have a dark shade
BLAME = 0.05  # effects of a larger p value are drawn pale


class Side(NamedTuple):
    """One of the two comparisons of an effect, and its look."""

    label: str
    sign: int  # of what it costs, to the comparison's share
    colour: str
    hatch: str
    mark: str

    def chips(self, pairing):
        """Return the share of chips it costs, and the interval's ends."""
        low, high = sorted(self.sign * end for end in pairing.share_interval)
        return self.sign * pairing.share + 0.0, low, high  # never -0

    def factor(self, pairing):
        """Return the factor on updates it costs, and the interval's ends; nan unknown."""
        if pairing.ratio is None:
            return (math.nan,) * 3
        power = -self.sign  # leaving an effect out is the inverse of adding it
        ends = pairing.ratio_interval or (math.nan, math.nan)
        return pairing.ratio**power, *sorted(end**power for end in ends)


SIDES = {
    "lost": Side("alone, against none", -1, COLOURS[0], "", "o"),
    "gained": Side("left out, against all", 1, COLOURS[1], "////", "D"),
}


def yield_figure(found):
    """Draw the share of a yield's chips that had learned, over weight updates."""
    updates = found.outcomes.updates[found.outcomes.learned]
    return share_learned(updates, found.chips, max(updates, default=1), found.interval)


# -- limits ----------------------------------------------------------------------------


@styled
def limit_figure(limit):
    """Draw the yield against a field with its band, the share asked for and the limit."""
    measured = [point for point in limit.curve if point.found is not None]
    if not measured:
        return message("No chip could be built in this range.")
    picture = Picture(height=3.9)
    ax = picture.subplots()
    order = sorted(measured, key=lambda point: point.value)
    x = np.array([point.value for point in order], float)
    share = np.array([point.found.share for point in order])
    low, high = np.array([point.found.interval for point in order]).T
    ax.fill_between(x, 100 * low, 100 * high, color=COLOURS[0], alpha=0.15, linewidth=0)
    ax.plot(x, 100 * share, color=COLOURS[0], linewidth=1.2)
    ax.vlines(x, 100 * low, 100 * high, color=COLOURS[0], linewidth=1)
    for verdict, (mark, inside) in MARKS.items():
        here = np.array([point.verdict == verdict for point in order])
        if here.any():
            ax.plot(
                x[here], 100 * share[here], mark, markersize=7, color=inside, label=verdict,
                markeredgecolor=inside if inside != "white" else INK, linestyle="none",
            )  # fmt: skip
    ax.axhline(100 * limit.at_least, color=MUTED, linewidth=1, linestyle=(0, (4, 3)))
    _mark_refused(ax, limit)
    if limit.value is not None:
        ax.axvline(limit.value, color=INK, linewidth=1.2)
    ax.set(xlabel=limit.name, ylabel="chips that learn, %", ylim=(-3, 103))
    _value_axis(ax, limit, x)
    legend_above(ax, columns=4, title=fill(limit_sentence(limit), TITLE))
    picture.columns = {
        limit.name: x, "chips": np.array([point.found.chips for point in order]),
        "share learned": share, "low": low, "high": high,
        "verdict": [point.verdict for point in order],
    }  # fmt: skip
    picture.alt = f"{limit_sentence(limit)} {' '.join(limit.notes)}"
    return picture


def _value_axis(ax, limit, x):
    """Scale the x axis as the search divided it, with ticks at whole numbers."""
    if all(float(value).is_integer() for value in x) and np.ptp(x) <= 40:
        ax.xaxis.get_major_locator().set_params(integer=True)
    else:
        log_where_wide(ax.xaxis, x)
    if limit.stop < limit.start:
        ax.invert_xaxis()


def _mark_refused(ax, limit):
    """Mark the values at which no chip can be built."""
    refused = [point.value for point in limit.curve if point.verdict == "refused"]
    if refused:
        ax.plot(refused, np.zeros(len(refused)), "x", **NO_CHIP)


@styled
def frontier_figure(frontier):
    """Draw the yields at all pairs of values tried, and the frontier between them."""
    points = [
        (other, point)
        for other, limit in zip(frontier.across, frontier.limits, strict=True)
        if limit is not None
        for point in limit.curve
    ]
    measured = [(other, point) for other, point in points if point.found is not None]
    if not measured:
        return message("No chip could be built in this range.")
    picture = Picture(height=4.2)
    ax = picture.subplots()
    x = np.array([other for other, _ in measured], float)
    y = np.array([point.value for _, point in measured], float)
    share = np.array([point.found.share for _, point in measured])
    seen = ax.scatter(
        x, y, c=100 * share, cmap="Blues", vmin=0, vmax=100, s=360, marker="s",
        edgecolors=INK, linewidths=0.5, zorder=3,
    )  # fmt: skip
    picture.colorbar(seen, ax=ax, label="chips that learn, %")
    for other, value, part in zip(x, y, share, strict=True):
        ax.text(
            other, value, f"{100 * part:.0f}", ha="center", va="center", fontsize=7,
            color="white" if part > DARK else INK, zorder=5,
        )  # fmt: skip
    refused = [(other, point.value) for other, point in points if point.found is None]
    if refused:
        ax.plot(*np.transpose(refused), "x", **NO_CHIP)
    pairs = [
        (other, value)
        for other, value in zip(frontier.across, frontier.values, strict=True)
        if value is not None
    ]
    label = f"frontier: {100 * frontier.at_least:g} % of chips learn"
    if pairs:
        ax.plot(*np.transpose(pairs), color=COLOURS[1], linewidth=2.2, zorder=2, label=label)
    ax.set(xlabel=frontier.names[1], ylabel=frontier.names[0])
    ax.margins(0.1)
    for axis, values in ((ax.xaxis, x), (ax.yaxis, y)):
        if all(value.is_integer() for value in values):
            axis.get_major_locator().set_params(integer=True)
    legend_above(ax, title="Where learning ends")
    low, high = np.array([point.found.interval for _, point in measured]).T
    picture.columns = {
        frontier.names[1]: x, frontier.names[0]: y, "share learned": share, "low": low,
        "high": high, "chips": np.array([point.found.chips for _, point in measured]),
    }  # fmt: skip
    picture.alt = frontier_sentence(frontier)
    return picture


# -- ablation --------------------------------------------------------------------------


@styled
def ablation_figure(ablation):
    """Draw what each effect costs, alone and among the others: chips, and time."""
    effects = ablation.ranked
    if not effects:
        return message("No effect was measured.")
    picture = Picture(height=1.7 + 0.62 * len(effects))
    left, right = picture.subplots(1, 2, sharey=True, width_ratios=(1.25, 1))
    rows = np.arange(len(effects))[::-1]
    for shift, side in ((0.18, "lost"), (-0.18, "gained")):
        for row, effect in zip(rows, effects, strict=True):
            pairing = getattr(effect, side)
            pale = 1.0 if effect.p_learned < BLAME else 0.4
            _cost_bar(left, row + shift, pairing, SIDES[side], pale, row == rows[0])
            pale = 1.0 if effect.p_updates < BLAME else 0.4
            _time_mark(right, row + shift, pairing, SIDES[side], pale)
    left.axvline(0, color=INK, linewidth=0.8)
    right.axvline(1, color=INK, linewidth=0.8)
    left.set_yticks(rows, [effect.name for effect in effects])
    left.set(xlabel="chips it costs, % of all", ylim=(-0.6, len(effects) - 0.4))
    _factor_axis(right)
    for ax in (left, right):
        ax.grid(axis="y", visible=False)
    handles, labels = left.get_legend_handles_labels()
    pale = Line2D([], [], color=RULE, linewidth=6)
    picture.legend(
        [*handles, pale], [*labels, "pale: may be chance"], loc="outside lower left", ncols=3
    )
    picture.suptitle(fill(blame_sentence(ablation), TITLE), x=0.02, ha="left", fontsize=11)
    picture.columns = _ablation_columns(effects)
    picture.alt = f"{blame_sentence(ablation)} " + "; ".join(
        f"{effect.name} costs {100 * effect.blame:.1f} % of chips" for effect in effects
    )
    return picture


def _cost_bar(ax, row, pairing, side, alpha, labelled):
    """Draw the share of chips that an effect costs, with its interval."""
    share, low, high = (100 * value for value in side.chips(pairing))
    ax.barh(
        row, share, 0.34, color=side.colour, alpha=alpha, hatch=side.hatch, edgecolor="white",
        label=side.label if labelled else None,
    )  # fmt: skip
    ax.hlines(row, low, high, color=INK, linewidth=1)


def _time_mark(ax, row, pairing, side, alpha):
    """Draw the factor on updates that an effect costs, with its interval."""
    factor, low, high = side.factor(pairing)
    ax.plot(factor, row, side.mark, color=side.colour, alpha=alpha, markersize=6)
    ax.hlines(row, low, high, color=side.colour, alpha=alpha, linewidth=1.4)


def _factor_axis(ax):
    """Scale the x axis by factors on the updates, 1 in the middle."""
    ax.set_xlabel("factor on updates it costs")
    ax.set_xscale("log")
    reach = max(abs(math.log2(end)) for end in ax.get_xlim())
    reach = max(1, math.ceil(reach))
    ticks = [2.0**k for k in range(-reach, reach + 1, max(1, reach // 3))]
    ax.set_xlim(2.0**-reach * 0.9, 2.0**reach * 1.1)
    ax.set_xticks(ticks, [short(tick) for tick in ticks])
    ax.minorticks_off()


def _ablation_columns(effects):
    """Return the numbers of an ablation by name."""
    columns = {"effect": [effect.name for effect in effects]}
    for name, side in SIDES.items():
        pairings = [getattr(effect, name) for effect in effects]
        for what, measure in (("chips", side.chips), ("factor on updates", side.factor)):
            values = zip(*map(measure, pairings), strict=True)
            for part, column in zip(("", ", low", ", high"), values, strict=True):
                columns[f"{side.label}: {what}{part}"] = column
    return columns | {
        "p (chips)": [effect.p_learned for effect in effects],
        "p (updates)": [effect.p_updates for effect in effects],
    }
