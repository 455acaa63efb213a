"""How weights are spread in one chip, and how chips are spread."""

import math

import numpy as np

from recirc_hw.metrics import wilson_interval
from recirc_hw.reports.curves import matrix_label
from recirc_hw.reports.style import (
    COLOURS,
    INK,
    MUTED,
    Picture,
    legend_above,
    message,
    styled,
    update_axis,
)

FEW = 40  # values of a matrix up to which each one is drawn


# -- weights -------------------------------------------------------------------------


@styled
def weight_histograms(chip):
    """Draw how the weights and the biases of each matrix are spread; a few, one by one."""
    matrices = [matrix.astype(float) for matrix in chip.weights]
    if not all(np.isfinite(matrix).all() for matrix in matrices):
        return message("The weights are not finite: the chip diverged.")
    names = [matrix_label(matrix.name) for matrix in chip.design.network.matrices]
    few = max(matrix.size for matrix in matrices) <= FEW
    rows, columns = math.ceil(len(matrices) / 2), min(2, len(matrices))
    picture = Picture(height=(1.7 if few else 2.7) * rows + 0.3)
    axes = picture.subplots(rows, columns, squeeze=False, sharey=few).ravel()
    tables = []
    for ax, name, matrix in zip(axes, names, matrices, strict=False):
        draw = _draw_each if few else _draw_spread
        tables.append(draw(ax, name, matrix[:, :-1].ravel(), matrix[:, -1]))
        ax.axvline(0, color=MUTED, linewidth=0.8, zorder=1)
        ax.set_xlabel("value")
        legend_above(ax, title=name)
    for ax in axes[len(matrices) :]:
        ax.set_axis_off()
    picture.columns = {
        name: np.concatenate([table[name] for table in tables]) for name in tables[0]
    }
    spreads = "; ".join(
        f"{name} {matrix[:, :-1].min():.3g} to {matrix[:, :-1].max():.3g}"
        for name, matrix in zip(names, matrices, strict=True)
        if matrix.shape[1] > 1  # a learned start has biases alone
    )
    picture.alt = f"Spread of weights and biases. Weights: {spreads}."
    return picture


def _draw_each(ax, name, weights, biases):
    """Draw every weight and bias as a dot; return them as columns."""
    for row, values in enumerate((weights, biases)):
        ax.plot(
            values, np.full(values.size, 1 - row), "o", color=COLOURS[row], alpha=0.6,
            markersize=8, markeredgewidth=0,
        )  # fmt: skip
    ax.set(ylim=(-0.6, 1.6), yticks=[1, 0], yticklabels=["weights", "biases"])
    ax.margins(x=0.08)
    kinds = np.repeat(["weight", "bias"], [weights.size, biases.size])
    values = np.concatenate([weights, biases])
    return {"matrix": np.repeat(name, values.size), "what": kinds, "value": values}


def _draw_spread(ax, name, weights, biases):
    """Draw the shares of weights and biases per bin; return the counts as columns."""
    edges = _edges(np.concatenate([weights, biases]), weights.size)
    counts = [np.histogram(values, edges)[0] for values in (weights, biases)]
    shares = [100 * count / max(1, count.sum()) for count in counts]
    ax.stairs(shares[0], edges, fill=True, color=COLOURS[0], alpha=0.75, label="weights")
    ax.stairs(shares[1], edges, color=COLOURS[1], linewidth=1.4, label="biases")
    ax.set_ylabel("share per bin, %")
    return {
        "matrix": np.repeat(name, len(counts[0])), "from": edges[:-1], "to": edges[1:],
        "weights": counts[0], "biases": counts[1],
    }  # fmt: skip


def _edges(values, count):
    """Return the edges of bins, about as many as the square root of the weights."""
    low, high = float(values.min()), float(values.max())
    if high - low < 1e-9 * max(1.0, abs(high)):
        low, high = low - 0.5, high + 0.5
    return np.linspace(low, high, int(np.clip(math.sqrt(count), 8, 60)) + 1)


# -- chips ---------------------------------------------------------------------------


@styled
def population(runs):
    """Draw the updates that chips took to learn, and the share that had learned by then.

    The share is of all chips, with Wilson's 95 % band at each update.
    """
    if not runs:
        return message("No chip was trained.")
    updates = [run.updates for run in runs if run.learned]
    return share_learned(updates, len(runs), max(run.total_updates for run in runs))


@styled
def share_learned(updates, count, last, interval=None):
    """Draw the updates that the chips of `count` which learned took, up to the `last`.

    The title tells the share with its interval, Wilson's where none is given.
    """
    updates = np.sort(updates).astype(float)
    picture = Picture(height=5.0)
    upper, lower = picture.subplots(2, 1, sharex=True, height_ratios=(1, 1.2))
    _draw_counts(upper, updates)
    at, share, low, high = _draw_share(lower, updates, count, last)
    update_axis(lower, max(last, 2), max(1.0, 0.8 * updates[0]) if updates.size else 1)
    upper.set_xlabel("")
    told = share_sentence(len(updates), count, interval)
    picture.suptitle(told, x=0.02, ha="left", fontsize=11)
    picture.columns = {
        "update": at, "share learned": share, "95 % low": low, "95 % high": high,
    }  # fmt: skip
    picture.alt = f"{told}. {_middle(updates)}"
    return picture


def share_sentence(learned, count, interval=None):
    """Return the share of chips that learned, with its interval, as text."""
    low, high = interval or wilson_interval(learned, count)
    noun = "chip" if count == 1 else "chips"
    return (
        f"{learned:,} of {count:,} {noun} learned: {100 * learned / count:.1f}\u00a0% "
        f"(95\u00a0% interval {100 * low:.1f} to {100 * high:.1f}\u00a0%)"
    )


def _middle(updates):
    """Return the median and the range of updates to learn, as text."""
    if not updates.size:
        return "None learned."
    return (
        f"Those that learned took {np.median(updates):,.0f} updates in the median, "
        f"{updates[0]:,.0f} to {updates[-1]:,.0f}."
    )


def _draw_counts(ax, updates):
    """Draw the histogram of updates to learn, in bins of equal width on the log axis."""
    ax.set_ylabel("chips")
    if not updates.size:
        ax.text(0.5, 0.5, "no chip learned", transform=ax.transAxes, ha="center", color=MUTED)
        ax.set_yticks([])
        return
    counts, edges = _log_counts(updates)
    ax.bar(
        edges[:-1], counts, np.diff(edges), align="edge", color=COLOURS[0], alpha=0.8,
        edgecolor="white", linewidth=0.7,
    )  # fmt: skip
    middle = np.median(updates)
    ax.axvline(middle, color=INK, linewidth=1.2)
    ax.annotate(
        f"median {middle:,.0f}", (middle, 1), (5, 4), xycoords=("data", "axes fraction"),
        textcoords="offset points", va="bottom", fontsize=9,
    )  # fmt: skip
    ax.yaxis.get_major_locator().set_params(integer=True)


def _log_counts(updates):
    """Return (counts, edges); the edges lie halfway between whole numbers."""
    low, high = updates[0] - 0.5, updates[-1] + 0.5
    bins = int(np.clip(1.5 * math.sqrt(updates.size), 6, 24))
    edges = np.geomspace(max(low, 0.5), max(high, low + 1), bins + 1)
    return np.histogram(updates, np.unique(np.floor(edges) + 0.5))


def _draw_share(ax, updates, count, last):
    """Draw the share learned by each update with its band; return the four columns."""
    at = np.unique(np.concatenate([[1.0], updates, [float(last)]]))
    learned = np.searchsorted(updates, at, side="right")
    bands = [wilson_interval(int(k), count) for k in learned]
    low, high = 100 * np.array(bands).T
    share = 100 * learned / count
    ax.fill_between(
        at, low, high, step="post", color=COLOURS[0], alpha=0.2, linewidth=0,
        label="95 % interval (Wilson)",
    )  # fmt: skip
    ax.step(at, share, where="post", color=COLOURS[0], label="share of chips that have learned")
    ax.set(ylabel="learned so far, %", ylim=(-2, 102))
    legend_above(ax)
    return at, share / 100, low / 100, high / 100
