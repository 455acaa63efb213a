"""The compressive autoencoders of Baldi & Sadowski 2018, section 7.2, and their rules."""

from dataclasses import dataclass, field, replace

import numpy as np
from matplotlib.ticker import MaxNLocator

from recirc_hw.designs import Design
from recirc_hw.networks import Loop
from recirc_hw.reproduce.bench import around, mean_line, ratio_line, share_line
from recirc_hw.reproduce.figures import draw_curves, legend_above, new_figure
from recirc_hw.reproduce.result import Line
from recirc_hw.rules import Backprop, ErrorRecirculation, RandomFeedback, Recirculation, TopOnly
from recirc_hw.substrates import Ideal
from recirc_hw.tasks import digits, fashion, mnist

EPOCHS = 3
BLOWN_UP = 10.0  # a mean error above this many units squared is not drawn
ROUNDING = 1e-3  # of errors after thousands of updates in single precision
SETTINGS = {
    "rate": ".01 times the batch mean of error times presynaptic activity; .001 with three "
    "hidden layers",
    "start": "Glorot-uniform, output bias at the data's mean",
    "batch": "100 cases, 3 epochs; float32",
    "linear": "linear units, squared error per element, norm of incoming weights at most 2",
    "non-linear": "tanh hidden and logistic output units, cross-entropy per element in nats",
    "bands": "an independent float64 build +-2 %, one seed, networks of one hidden layer; "
    "its RBP and SRBP, one rule there, had other random weights, and seeds differ by 4 %; of "
    "ratios, the order that it found",
}
QUICK = {
    "quick": "digits 64-16-64 and 64-32-16-32-64 instead, batches of 20, 30 epochs (10 deep "
    "and non-linear), rate .05 (linear .033, deep .033, both .011), 5 chips: the order that "
    "the independent build found on the full task is judged, not its figures"
}


@dataclass(frozen=True)
class Panel:
    """One panel of a figure: a network, how it is trained, and what is expected.

    `expected` maps a rule's label to an independent build's test error, `blows_up` to the
    band of the share of chips that do.
    """

    title: str
    hidden: tuple[int, ...]
    linear: bool
    rate: float
    norm_cap: float = 0.0
    expected: dict = field(default_factory=dict)
    blows_up: dict = field(default_factory=dict)
    epochs: int = EPOCHS

    @property
    def deep(self):
        """Whether there is more than one hidden layer."""
        return len(self.hidden) > 1

    @property
    def measure(self):
        """The name of the test error in a run's history."""
        return "test_error" if self.linear else "test_cross_entropy"

    def network(self, n_visible):
        """Return the panel's autoencoder for cases of this size."""
        functions = {"visible": "identity", "hidden": "identity"}
        return Loop(
            n_visible, *self.hidden, initial_weights="glorot", output_bias="data_mean",
            **(functions if self.linear else {"hidden": "tanh"}),
        )  # fmt: skip


def panel(kind, expected=None, *, norm_cap=2.0, rate=None):
    """Return the panel of a kind: "linear 20", "non-linear 20", or with 100-20-100."""
    linear, deep = kind.startswith("linear"), kind.endswith("100-20-100")
    return Panel(
        kind, (100, 20, 100) if deep else (20,), linear, rate or (0.001 if deep else 0.01),
        norm_cap if linear else 0.0, expected or {},
    )  # fmt: skip


def shrink(panel):
    """Return the panel of the same kind for the digits of quick mode."""
    rate = {(False, False): 0.05, (True, True): 0.1 / 9}.get(
        (panel.deep, panel.linear), 0.1 / 3
    )
    hidden = (32, 16, 32) if panel.deep else (16,)
    title = panel.title.replace("100-20-100", "32-16-32").replace(" 20", " 16")
    # Deep recirculation at one rate for all layers turns back up later, as in figure 8.
    epochs = 10 if panel.deep and not panel.linear else 30
    return replace(
        panel, title=title, hidden=hidden, rate=rate, expected={}, blows_up={}, epochs=epochs
    )


def recirculation(panel, combine="PR", regression=0.5, cycles=1):
    """Return B&S's recirculation: gradient descent on top, differences below.

    The top learns from I - O_L(0). A blend leaves (1 - lambda) of it, which a rate
    1 / (1 - lambda) times greater makes good.
    """
    share = 0.0 if combine == "PR" else regression
    rates = (panel.rate,) * len(panel.hidden) + (panel.rate / (1 - share),)
    return Recirculation(
        combine=combine, regression=regression, cycles=cycles, presynaptic="first",
        learning_rate=rates, batch="mean", norm_cap=panel.norm_cap,
    )  # fmt: skip


def learning_rules(panel):
    """Return the rules that B&S compare, by their labels."""
    options = {"learning_rate": panel.rate, "batch": "mean", "norm_cap": panel.norm_cap}
    kinds = ("RBP", "SRBP", "ARBP")
    return {
        "REC": recirculation(panel),
        "BP": Backprop(**options),
        **{kind: RandomFeedback(kind=kind, **options) for kind in kinds},
        "TOP": TopOnly(**options),
        "ERR": ErrorRecirculation(**options),
    }


def images(bench, name):
    """Return the image task; in quick mode digits, whatever the name."""
    return digits() if bench.quick else {"mnist": mnist, "fashion": fashion}[name]()


def compare(bench, panel, task, rules):
    """Train every rule on a panel's network; return a dict of each label's runs."""
    n = bench.pick(5, 3 if panel.deep else 5)
    network = panel.network(task.n_units)
    return {
        label: bench.train(
            f"{panel.title} {label}",
            Design(network, rule, Ideal(precision="float32")),
            task,
            n,
            batch_size=bench.pick(20, 100),
            epochs=panel.epochs,
        )
        for label, rule in rules.items()
    }


def errors(panel, runs):
    """Return test errors, shape (chips, epochs + 1)."""
    return np.array([run.history[panel.measure] for run in runs], float)


def last_errors(panel, runs):
    """Return the last test error of each chip, infinite for those that blew up."""
    last = errors(panel, runs)[:, -1]
    return np.where(last < BLOWN_UP, last, np.inf)


def error_lines(panel, found):
    """Return a line for the last test error of each label, or for what blew up."""
    lines = []
    for label, runs in found.items():
        last, what = last_errors(panel, runs), f"{panel.title}: {label}"
        expected, share = panel.expected.get(label), panel.blows_up.get(label)
        blown = expected is None and np.isinf(last).any()
        if blown or share is not None:
            what_blew = f"{what}, share of chips that blew up"
            lines.append(share_line(what_blew, np.isinf(last), band=share))
        if not blown:
            band = None if expected is None else around(expected)
            lines.append(mean_line(what, last, band=band))
    return lines


def order_line(panel, found, better, worse):
    """Return a line that has the first label's last error below the second's."""
    first, second = (last_errors(panel, found[label]) for label in (better, worse))
    return ratio_line(f"{panel.title}: {better} / {worse}", first, second, band=(None, 1.0))


def equal_line(panel, found, one, other):
    """Return a line that has two labels' last errors the same, but for rounding."""
    first, second = (last_errors(panel, found[label]) for label in (one, other))
    apart = float(np.abs(first / second - 1).max())
    what = f"{panel.title}: {one} against {other}, largest relative difference"
    return Line(what, apart, band=(None, ROUNDING), n=len(first))


def grid(panels, name):
    """Return a figure with a panel's axes for each, at most two side by side."""
    figure, axes = new_figure(min(2, len(panels)), -(-len(panels) // 2))
    for ax in axes[len(panels) :]:
        ax.set_visible(False)
    figure.suptitle(name)
    return figure, axes


def draw_errors(ax, panel, found, cases):
    """Draw the test errors over weight updates, mean over chips; leave out what blew up."""
    curves = {}
    for label, runs in found.items():
        values = errors(panel, runs).mean(axis=0)
        drawn = values < BLOWN_UP
        text = f"{label}  {values[-1]:.4f}" if drawn[-1] else f"{label}  diverged"
        curves[text] = (np.flatnonzero(drawn)[1:], values[drawn][1:])
    y = "squared error per element" if panel.linear else "cross-entropy per element"
    draw_curves(ax, curves, title=panel.title, x=f"epochs of {cases:,} cases", y=y)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    legend_above(ax)
