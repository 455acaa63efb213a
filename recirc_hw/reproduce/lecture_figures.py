"""Figures of Hinton's lecture 7: an automaton of hidden patterns, and gradients over time."""

import numpy as np
from matplotlib.patches import Circle

from recirc_hw.reproduce.figures import COLOURS, draw_curves, new_figure

CORNERS = ((0, 0), (3, 0), (0, 2.2), (3, 2.2))


def addition_figure(automaton):
    """Return the figure of one net's automaton: nodes are hidden patterns.

    Parameters
    ----------
    automaton : dict of pattern to {digits: (next pattern, count)}
    """
    figure, (ax,) = new_figure(width=9, height=7)
    places = dict(zip(_in_order(automaton), CORNERS, strict=True))
    for pattern, ways in automaton.items():
        targets = {}
        for digits, (target, _) in sorted(ways.items()):
            targets.setdefault(target, []).append("".join(map(str, digits)))
        for target, labels in targets.items():
            _draw_way(ax, places[pattern], places[target], "\n".join(labels))
    meanings = _meanings(automaton)
    for pattern, place in places.items():
        ax.add_patch(Circle(place, 0.42, facecolor="white", edgecolor="black", zorder=4))
        bits = "".join("\u25cf" if bit else "\u25cb" for bit in pattern)
        ax.text(*place, f"{bits}\n{meanings[pattern]}", ha="center", va="center", zorder=5,
                fontsize=10)  # fmt: skip
    ax.set(xlim=(-1.4, 4.4), ylim=(-1.2, 3.4), aspect="equal", xticks=[], yticks=[])
    ax.set_title(
        "the adder's hidden patterns (\u25cf on, \u25cb off); arcs: the next column's digits"
    )
    ax.grid(False)
    ax.spines[:].set_visible(False)
    return figure


def _meanings(automaton):
    """Return {pattern: "carry, print"}: where 00 and then 11 lead tells them apart."""
    found = {}
    for target in automaton:
        incoming = [
            (source, digits)
            for source, ways in automaton.items()
            for digits, (to, _) in ways.items() if to == target
        ]  # fmt: skip
        carries = {sum(digits) for _, digits in incoming}
        # 00 never carries and 11 always does, whatever was carried before.
        carry = 1 if 2 in carries else 0
        plain = 0 in carries or 2 in carries
        alike = {digits for _, digits in incoming if sum(digits) == (2 if carry else 0)}
        found[target] = (carry, len(alike), plain)
    return {pattern: _name(automaton, pattern, carry) for pattern, (carry, *_) in found.items()}


def _name(automaton, pattern, carry):
    """Return "carry, print 1" and so on: a column prints carry-in plus its digits, mod 2."""
    for source, ways in automaton.items():
        for digits, (target, _) in ways.items():
            if target == pattern and sum(digits) in (0, 2):
                printed = _carries(automaton, source)
                return f"{'carry' if carry else 'no carry'}\nprint {printed}"
    return ""


def _carries(automaton, source):
    """Return the carry of a state: it is what one that adds 0 + 0 to it prints."""
    digits = {d for ways in automaton.values() for d, (t, _) in ways.items() if t == source}
    return int((1, 1) in digits)


def _in_order(automaton):
    """Return the patterns: without a carry first."""
    return sorted(automaton, key=lambda p: (_carries(automaton, p), _meanings(automaton)[p]))


def _draw_way(ax, start, end, text):
    """Draw an arc from one node to another, or back to the same one, with its digits."""
    start, end = np.array(start, float), np.array(end, float)
    if (start == end).all():
        side = np.array([-0.62 if start[0] < 1 else 0.62, 0.0])
        ax.add_patch(
            Circle(start + side, 0.35, fill=False, edgecolor=COLOURS[0], linewidth=1.4)
        )
        ax.text(*(start + 1.95 * side), text, ha="center", va="center", fontsize=10)
        return
    along = (end - start) / np.linalg.norm(end - start)
    normal = np.array([-along[1], along[0]])
    ax.annotate("", end - 0.42 * along + 0.1 * normal, start + 0.42 * along + 0.1 * normal,
                arrowprops={"arrowstyle": "-|>", "color": COLOURS[0], "linewidth": 1.4,
                            "connectionstyle": "arc3,rad=-0.12"})  # fmt: skip
    at = start + 0.33 * (end - start) + 0.28 * normal
    ax.text(*at, text, ha="center", va="center", fontsize=10,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5})  # fmt: skip


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
