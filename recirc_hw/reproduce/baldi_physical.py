"""Baldi & Sadowski 2018, appendix A: physical forms of the circular autoencoder."""

import numpy as np

from recirc_hw.designs import Design
from recirc_hw.networks import Loop
from recirc_hw.reproduce.bench import learned_line, mean_line, share_line, updates_line
from recirc_hw.reproduce.figures import draw_curves, new_figure
from recirc_hw.reproduce.result import Line
from recirc_hw.rules import Recirculation
from recirc_hw.tasks import encoder

MAX_UPDATES = 1000
# Of the mean of both directions' changes, where one weight takes both.
RATES = {False: (20.0,), True: (2.0, 4.0, 10.0, 20.0)}
HINTONS = {"asymmetric, rate 20": (0.998, 45.9, 10_000)}  # share, mean updates, of how many


def physical_forms(bench):
    """Reproduce that the circular autoencoder learns with one weight for both ways, too."""
    n, lines, curves = bench.pick(200, 1000), [], {}
    shares, gaps = [], []
    for symmetric, rates in RATES.items():
        for rate in rates:
            name = f"{'symmetric' if symmetric else 'asymmetric'}, rate {rate:g}"
            design = Design(Loop(4, 2, symmetric=symmetric), Recirculation(learning_rate=rate))
            runs = bench.train(name, design, encoder(4), n, max_updates=MAX_UPDATES, hold=0)
            lines += _learning_lines(name, runs, HINTONS.get(name))
            if symmetric:
                shares.append(lines[-2].ours)
                gaps += map(_gap, runs)
            updates = np.sort([run.updates for run in runs if run.learned])
            grown = np.arange(1, len(updates) + 1) / n
            curves[name] = np.r_[1, updates], np.r_[0, grown]
    what = "symmetric: largest difference of the two directions at the end"
    lines.append(Line(what, max(gaps), None, 0.0, (None, 1e-9), n))
    lines.append(Line("symmetric at its best rate: learned", max(shares), band=(0.9, 1.0), n=n))
    settings = {
        "forms": "bidirectional, one connection for both ways, or conjoined, one for each: at "
        "this level they are the same; each may be symmetric or not",
        "task": f"4-2-4 encoder, H&M's rule, at most {MAX_UPDATES} updates",
        "band": "of the asymmetric form, which is H&M's encoder, as of 10,000 chips of an "
        "independent build; of the symmetric one our choice: the paper gives no number",
    }
    figure, (ax,) = new_figure(width=8.5, height=5)
    draw_curves(ax, curves, title="4-2-4 encoder: one weight both ways, or two",
                x="weight updates", y="share of chips that have learned", log_x=True,
                markers=False)  # fmt: skip
    ax.set_ylim(0, 1.02)
    return settings, lines, figure


def _learning_lines(name, runs, theirs):
    """Return the lines of how many learned, and after how many updates."""
    if theirs is None:
        updates = [run.updates for run in runs if run.learned]
        return [
            share_line(f"{name}: learned", [run.learned for run in runs]),
            mean_line(f"{name}: updates, mean", updates),
        ]
    share, mean, others = theirs
    return [
        learned_line(f"{name}: learned", runs, share, others),
        updates_line(f"{name}: updates, mean", runs, mean, others=others),
    ]


def _gap(run):
    """Return the largest difference between a weight and the same one the other way."""
    up, down = run.weights
    return float(np.abs(up[:, :-1] - down[:, :-1].T).max())


RESULTS = {
    "baldi-physical": (
        "circular autoencoders of one weight both ways, and of two",
        "Baldi & Sadowski 2018, appendix A, figure 11",
        physical_forms,
    ),
}
