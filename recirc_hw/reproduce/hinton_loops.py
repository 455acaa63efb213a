"""Hinton & McClelland 1988, pages 364 to 365: loops of several hidden groups."""

import numpy as np

from recirc_hw.designs import Design
from recirc_hw.networks import Loop
from recirc_hw.reproduce.bench import mean_line, range_band, share_line
from recirc_hw.reproduce.figures import draw_curves, new_figure
from recirc_hw.rules import Recirculation
from recirc_hw.tasks import encoder

MAX_UPDATES = 4000
OTHERS = 100  # chips that an independent build's shares are taken to be of
SURE = (0.98, 1.0)  # where all of them learned
BOTTLENECK, SAME_WIDTH = (0.0, 0.05), (0.2, 0.45)  # its ranges, of three hidden groups

# Network, rate, whether hidden units regress (then each sends on what it holds), and
# the independent build's range of shares that learned; None where it states none.
LOOPS = (
    ((4, 3, 3), 5.0, False, SURE),
    ((8, 5, 5), 2.0, False, SURE),
    ((4, 3, 3), 5.0, True, (0.85, 0.87)),
    ((8, 5, 5), 2.0, True, (0.93, 0.97)),
    ((4, 3, 2, 3), 5.0, False, BOTTLENECK),
    ((8, 5, 3, 5), 2.0, False, BOTTLENECK),
    ((4, 3, 3, 3), 5.0, False, SAME_WIDTH),
    ((8, 5, 5, 5), 2.0, False, SAME_WIDTH),
    ((4, 4, 4, 4), 2.0, False, None),
    ((4, 4, 4, 4), 5.0, False, None),
    ((8, 6, 6, 6), 2.0, False, None),
    ((8, 8, 8, 8), 2.0, False, None),
)


def long_loops(bench):
    """Reproduce which longer loops learn the encoder, and which mostly fail."""
    n, lines, figure = bench.pick(120, 400), [], new_figure(2, width=10, height=5)
    curves = ({}, {})
    for sizes, rate, hidden, shares in LOOPS:
        label = f"{'-'.join(map(str, sizes))}, rate {rate:g}" + ", hidden regression" * hidden
        runs = bench.train(
            label, _design(sizes, rate, hidden), encoder(sizes[0]), n,
            max_updates=MAX_UPDATES, hold=0,
        )  # fmt: skip
        band = range_band(*shares, OTHERS, n) if shares and shares is not SURE else shares
        lines.append(share_line(f"{label}: learned", [r.learned for r in runs], band=band))
        updates = np.sort([run.updates for run in runs if run.learned])
        if len(sizes) == 3:
            lines.append(mean_line(f"{label}: updates, mean", updates))
        grown = np.arange(1, len(updates) + 1) / n
        curves[len(sizes) - 3][label] = (
            np.r_[1, updates, MAX_UPDATES],
            np.r_[0, grown, len(updates) / n],
        )
    settings = {
        "rule": "H&M's, lambda .75 in the visible group",
        "hidden regression": "every hidden unit holds, and sends on, its blended activity",
        "limit": f"{MAX_UPDATES} updates: the bands state none; of 1000 to 5000, the one at "
        "which all of them hold",
        "three groups": "at the rates of two, 5 with four visible units and 2 with eight; of "
        "one width, or with a bottleneck in the middle",
        "wider groups": "hidden groups as wide as the visible one, or nearly so, can learn "
        "more often than the 20 to 45 % of three groups of one width, up to nearly always",
        "bands": "an independent build's shares: 100 % (at least 98 % here), 85 to 87 % and 93 "
        "to 97 %; 0 to 5 % through a bottleneck, 20 to 45 % at one width. Where so many "
        f"chips' share may fall, given the range of shares of {OTHERS}",
    }
    return settings, lines, _loops_figure(figure, curves)


def _design(sizes, rate, hidden):
    """Return the design of one loop; without hidden regression RWCC and RCC are one."""
    rule = Recirculation(combine="RWCC" if hidden else "RCC", learning_rate=rate)
    return Design(Loop(*sizes), rule)


def _loops_figure(figure_axes, curves):
    """Return the figure of chips that have learned: two hidden groups, and three."""
    figure, axes = figure_axes
    for ax, groups, drawn in zip(axes, ("two", "three"), curves, strict=True):
        draw_curves(
            ax, drawn, title=f"{groups} hidden groups", x="weight updates",
            y="share of chips that have learned", log_x=True, markers=False,
        )  # fmt: skip
        ax.legend(frameon=False, fontsize=9, loc="upper left")
        ax.set(xlim=(20, MAX_UPDATES), ylim=(0, 1.02))
    return figure


RESULTS = {
    "hinton-long-loops": (
        "encoders with two and three hidden groups in the loop",
        "Hinton & McClelland 1988, pages 364 and 365",
        long_loops,
    ),
}
