"""Figures of Rumelhart, Hinton & Williams 1986: a net with its weights, and Hinton squares."""

import numpy as np
from matplotlib.patches import Circle, Rectangle

from recirc_hw.reproduce.figures import COLOURS, new_figure
from recirc_hw.tasks.family_trees import ENGLISH, ITALIAN

# The figure is small, so that its letters stay legible where a page shows it narrow.
RADIUS = 0.46  # of a unit


def symmetry_figure(run, sweeps, n):
    """Return the figure: one solution, the paper's Fig. 1, and the sweeps of all."""
    figure, (net, counts) = new_figure(1, 2, width=5.8, height=7.4)
    _draw_net(net, run)
    edges = np.linspace(0, 10_000, 41)
    counts.hist(sweeps, bins=edges, color=COLOURS[0])
    counts.axvline(1425, color=COLOURS[1], linestyle="--", label="the paper's net, 1425")
    counts.set_title(f"sweeps until solved: {len(sweeps)} of {n} chips", fontsize=12.5)
    counts.set_xlabel("sweeps", fontsize=12)
    counts.set_ylabel("chips", fontsize=12)
    counts.tick_params(labelsize=11)
    counts.legend(frameon=False, fontsize=12)
    return figure


def _draw_net(ax, run):
    """Draw the units with their biases and the connections with their weights.

    The hidden units lie on either side of the inputs, so that no connections cross.
    """
    hidden, output = run.weights
    inputs = [(1.25 * x, 0.0) for x in range(6)]
    middle, top = [(3.125, 2.6), (3.125, -2.6)], (8.0, 0.0)
    for j, unit in enumerate(middle):
        for i, place in enumerate(inputs):
            _draw_arc(ax, place, unit, hidden[j, i], 0.36)
        _draw_arc(ax, unit, top, output[0, j], 0.5)
        _draw_node(ax, unit, f"{hidden[j, 6]:.1f}")
    _draw_node(ax, top, f"{output[0, 2]:.1f}")
    for place in inputs:
        _draw_node(ax, place, "")
    ax.set_title(f"chip {run.seed}: weights on lines, biases in units", fontsize=12.5)
    ax.set(xlim=(-0.6, 8.6), ylim=(-3.2, 3.2), aspect="equal", xticks=[], yticks=[])
    ax.grid(False)
    ax.spines[:].set_visible(False)


def _draw_arc(ax, start, end, weight, share):
    """Draw one connection, its weight written at a share of the way."""
    (x0, y0), (x1, y1) = start, end
    ax.plot([x0, x1], [y0, y1], color="0.6", linewidth=0.9, zorder=1)
    at = x0 + share * (x1 - x0), y0 + share * (y1 - y0)
    colour = COLOURS[0] if weight > 0 else COLOURS[1]
    ax.text(*at, f"{weight:.1f}", color=colour, fontsize=12, ha="center", va="center", zorder=3,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6})  # fmt: skip


def _draw_node(ax, place, text):
    ax.add_patch(Circle(place, RADIUS, facecolor="white", edgecolor="black", zorder=4))
    ax.text(*place, text, ha="center", va="center", fontsize=12, zorder=5)


def families_figure(weights):
    """Return the paper's Fig. 4: the weights from 24 persons to each of six units."""
    figure, axes = new_figure(1, 6, width=9, height=10)
    largest = np.abs(weights[:, :24]).max()
    for j, ax in enumerate(axes):
        draw_squares(ax, weights[j, :24].reshape(2, 12), largest)
        ax.set_yticks([0, 1], ["English", "Italian"])
        ax.set_title(f"unit {j + 1}", loc="left", fontsize=10)
        ax.set_xticks([])
    names = [f"{e}\n{i}" for e, i in zip(ENGLISH, ITALIAN, strict=True)]
    axes[-1].set_xticks(range(12), names, fontsize=6.5, rotation=40)
    figure.suptitle("family trees: weights from the persons (white positive, black negative)")
    return figure


def draw_squares(ax, values, largest):
    """Draw a matrix as squares whose areas are the sizes: white positive, black negative."""
    ax.set_facecolor("0.6")
    for (row, column), value in np.ndenumerate(values):
        side = 0.92 * np.sqrt(abs(value) / largest)
        ax.add_patch(Rectangle((column - side / 2, row - side / 2), side, side,
                               facecolor="white" if value > 0 else "black"))  # fmt: skip
    rows, columns = values.shape
    ax.set(xlim=(-0.6, columns - 0.4), ylim=(rows - 0.4, -0.6), aspect="equal")
    ax.grid(False)
    ax.tick_params(length=0)
