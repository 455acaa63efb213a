"""Figures of Hinton's lecture 7: an automaton of hidden patterns, and gradients over time."""

import numpy as np
from matplotlib.patches import Circle

from recirc_hw.reproduce.figures import COLOURS, draw_curves, new_figure

# Small, so that the letters stay legible where a page shows it narrow.
CORNERS = ((0, 0), (3, 0), (0, 2.4), (3, 2.4))
NODE = 0.62  # radius


def addition_figure(automaton):
    """Return the figure of one net's automaton: nodes are hidden patterns.

    Parameters
    ----------
    automaton : dict of pattern to {digits: (next pattern, count)}
    """
    figure, (ax,) = new_figure(width=5.6, height=3.9)
    meanings = {pattern: _meaning(automaton, pattern) for pattern in automaton}
    places = dict(zip(sorted(meanings, key=meanings.get), CORNERS, strict=True))
    for pattern, ways in automaton.items():
        targets = {}
        for digits, (target, _) in sorted(ways.items()):
            targets.setdefault(target, []).append("".join(map(str, digits)))
        for target, labels in targets.items():
            _draw_way(ax, places[pattern], places[target], labels)
    for pattern, place in places.items():
        carry, printed = meanings[pattern]
        ax.add_patch(Circle(place, NODE, facecolor="white", edgecolor="black", zorder=4))
        bits = "".join("\u25cf" if bit else "\u25cb" for bit in pattern)
        text = f"{bits}\ncarry {carry}\nprint {printed}"
        ax.text(*place, text, ha="center", va="center", zorder=5, fontsize=11.5)
    ax.set(xlim=(-1.75, 4.75), ylim=(-0.75, 3.2), aspect="equal", xticks=[], yticks=[])
    ax.set_title("the adder's hidden patterns; arcs: next digits", fontsize=13)
    ax.grid(False)
    ax.spines[:].set_visible(False)
    return figure


def _meaning(automaton, pattern):
    """Return (carry, printed digit) of a hidden pattern, told by what leads to it.

    Digits 11 always carry and 00 never do; both print the carry of the column before.
    """
    source = next(s for s, digits in _incoming(automaton, pattern) if sum(digits) in (0, 2))
    return _carry(automaton, pattern), _carry(automaton, source)


def _carry(automaton, pattern):
    """Return 1 for a pattern that digits 11 lead to, else 0."""
    return int((1, 1) in [digits for _, digits in _incoming(automaton, pattern)])


def _incoming(automaton, pattern):
    """Return the (pattern, digits) that lead to a pattern."""
    return [
        (source, digits)
        for source, ways in automaton.items()
        for digits, (target, _) in ways.items() if target == pattern
    ]  # fmt: skip


def _draw_way(ax, start, end, labels):
    """Draw an arc from one node to another, or back to the same one, with its digits."""
    start, end = np.array(start, float), np.array(end, float)
    words = {"ha": "center", "va": "center", "fontsize": 12.5, "linespacing": 0.95, "zorder": 3}
    if (start == end).all():
        side = np.array([-0.8 if start[0] < 1 else 0.8, 0.0])
        ring = Circle(start + side, 0.4, fill=False, edgecolor=COLOURS[0], linewidth=1.6)
        ax.add_patch(ring)
        ax.text(*(start + 1.86 * side), "\n".join(labels), **words)
        return
    along = (end - start) / np.linalg.norm(end - start)
    normal = np.array([-along[1], along[0]])
    ax.annotate("", end - NODE * along + 0.12 * normal, start + NODE * along + 0.12 * normal,
                arrowprops={"arrowstyle": "-|>,head_width=.3,head_length=.6",
                            "color": COLOURS[0], "linewidth": 1.6,
                            "connectionstyle": "arc3,rad=-0.12"})  # fmt: skip
    at = start + (0.62 if along[0] and along[1] else 0.5) * (end - start) + 0.41 * normal
    ax.text(*at, " ".join(labels), **words)


def gradients_figure(curves, trajectories):
    """Return the figure: gradients over steps, and the paths of one unit's activity."""
    figure, (slopes, paths) = new_figure(2, width=12, height=5)
    drawn = {name: (np.arange(1, len(ys) + 1), ys) for name, ys in curves.items()}
    draw_curves(slopes, drawn, title="a gradient over 50 steps", x="steps t",
                y="dy(t) / dy(0)", log_y=True, markers=False)  # fmt: skip
    for start, ys in trajectories.items():
        colour = COLOURS[1] if start == 0.5 else COLOURS[0]
        paths.plot(range(len(ys)), ys, color=colour, linewidth=1.5)
    paths.set(title="w = 6: two attractors and the boundary between them", xlabel="steps",
              ylabel="activity y")  # fmt: skip
    return figure
