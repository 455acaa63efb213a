"""Rumelhart, Hinton & Williams 1986, figure 5: an iterative net is a tied layered one."""

import numpy as np

from recirc_hw.designs import Design
from recirc_hw.networks import Layered, Recurrent
from recirc_hw.random_streams import uniform
from recirc_hw.reproduce.bench import mean_share_line, share_line
from recirc_hw.reproduce.figures import COLOURS, draw_curves, new_figure
from recirc_hw.reproduce.result import Line
from recirc_hw.rules import BPTT, Backprop
from recirc_hw.tasks import Task, UnitError

UNITS, STEPS = 4, 3  # of the comparison
VISIBLE, HIDDEN, SETTLE, PATTERNS = 8, 6, 6, 3  # of the net that learns to settle


def iterative(bench):
    """Reproduce that tied gradients add up, and that an iterative net learns to settle."""
    pairs = [_gradients(bench, seed) for seed in range(bench.seed, bench.seed + 20)]
    largest = max(np.abs(a - b).max() / np.abs(b).max() for a, b in pairs)
    tied = _drift(bench)
    chips, runs, task = _settling(bench, bench.pick(16, 100))
    longer = [_stays(bench, chip, task) for chip in chips]
    lines = [
        Line("iterative against summed layered gradients, largest difference, relative",
             largest, None, 0.0, (None, 1e-10), len(pairs)),
        Line("weights after 50 updates, iterative against tied layers, relative", tied,
             None, 0.0, (None, 1e-9), 1),
        share_line("settling: every unit right in the last two steps",
                   [r.learned for r in runs], band=(0.8, 1.0)),
        mean_share_line("settling: completed states that hold in steps 41 to 50", longer),
    ]  # fmt: skip
    settings = {
        "gradients": f"{UNITS} units, {STEPS} steps; squared error of the last; 5 random cases",
        "settling": f"{VISIBLE} visible of {VISIBLE + HIDDEN} units start at one of {PATTERNS} "
        f"patterns with one bit at .5; taught at steps {SETTLE - 1} and {SETTLE}",
        "bands": "an independent build's 4e-11; settling: our choice",
    }
    return settings, lines, _figure(bench, pairs, chips[int(np.argmax(longer))], task)


def _pair(weights):
    """Return an iterative chip and the layered one with the same weights in each layer."""
    network = Recurrent(0, UNITS, 0, steps=STEPS, initial_state="given", taught_steps=(STEPS,))
    one = Design(network, BPTT(loss="squared", learning_rate=0.1, momentum=0.0)).fabricate(0)
    layered = Layered(*[UNITS] * (STEPS + 1))
    many = Design(layered, Backprop(loss="squared", learning_rate=0.1)).fabricate(0)
    one.weights, many.weights = [weights], [weights] * STEPS
    return one, many


def _start(seed):
    """Return random weights of one step, and five cases."""
    weights = uniform(seed, "weights", (UNITS, UNITS + 1), low=-2, high=2)
    return weights, uniform(seed, "iterative cases", (5, 2 * UNITS))


def _gradients(bench, seed):
    """Return (what the iterative net asks for, the sum over the layers)."""
    weights, cases = _start(seed)
    one, many = _pair(weights)
    changes = many.weight_change(cases, backend=bench.backend)
    return one.weight_change(cases, backend=bench.backend)[0], sum(changes)


def _drift(bench):
    """Return how far training by BPTT is from a layered net tied by hand, relative."""
    weights, cases = _start(bench.seed)
    one, _ = _pair(weights)
    task = _task("tied", cases, UNITS, len(cases))
    bench.train_chips("tied", [one], task, max_updates=50, until="end")
    for _ in range(50):
        _, many = _pair(weights)
        weights = weights + 0.1 * sum(many.weight_change(cases, backend=bench.backend))
    return float(np.abs(one.weights[0] - weights).max() / np.abs(weights).max())


def _task(name, cases, n_targets, batch_size):
    """Return a task of cases with targets, none held out."""
    return Task(name, cases, cases, UnitError(0.5), batch_size, 1000, n_targets=n_targets,
                held_out=False)  # fmt: skip


def _settling(bench, n):
    """Return (chips, runs, task): nets that learn to complete patterns step by step."""
    network = Recurrent(
        0, VISIBLE + HIDDEN, 0, steps=SETTLE, initial_state="given",
        taught_steps=(SETTLE - 1, SETTLE), taught_units=tuple(range(VISIBLE)),
    )  # fmt: skip
    patterns = (uniform(bench.seed, "iterative cases", (PATTERNS, VISIBLE), step=1) < 0.5) * 1.0
    starts = np.repeat(patterns, VISIBLE, axis=0)
    starts[np.arange(len(starts)), np.tile(np.arange(VISIBLE), PATTERNS)] = 0.5
    hidden = np.full((len(starts), HIDDEN), 0.5)
    targets = np.repeat(patterns, VISIBLE, axis=0)
    cases = np.column_stack([starts, hidden, targets, targets])
    task = _task("settling", cases, 2 * VISIBLE, len(cases))
    chips = bench.fabricate(Design(network, BPTT(batch="mean", learning_rate=0.1)), n)
    runs = bench.train_chips("settling", chips, task, max_updates=2000, until="end")
    return chips, runs, task


def _stays(bench, chip, task):
    """Return the share of cases whose visible units are right in all of steps 41 to 50."""
    states = np.array(_run_on(bench, chip, task, 50))[41:, :, :VISIBLE]
    wanted = task.targets(task.train)[:, :VISIBLE] > 0.5
    return ((states > 0.5) == wanted).all(axis=(0, 2)).mean()


def _run_on(bench, chip, task, steps):
    """Return all units' activities after each step, up to more than were trained."""
    network = chip.design.network.replace(steps=steps, taught_steps=(steps,))
    longer = Design(network, chip.design.rule).fabricate(chip.seed)
    longer.weights = chip.weights
    starts = task.train[:, : VISIBLE + HIDDEN]
    return [longer.activity(starts, f"hidden {t}", bench.backend) for t in range(steps + 1)]


def _figure(bench, pairs, chip, task):
    """Return the figure: gradients against each other, and one state that settles."""
    figure, (scatter, settling) = new_figure(2, width=12, height=5)
    first, second = (np.concatenate([p[k].ravel() for p in pairs]) for k in (0, 1))
    scatter.plot(second, first, "o", color=COLOURS[0], markersize=3)
    scatter.set(title="weight changes: iterative against tied layers", ylabel="iterative net",
                xlabel="layered net, summed over layers")  # fmt: skip
    states = np.array(_run_on(bench, chip, task, 20))[:, 0, :VISIBLE]
    curves = {f"unit {i + 1}": (np.arange(21), states[:, i]) for i in range(VISIBLE)}
    draw_curves(settling, curves, title="a pattern with its first bit unknown settles",
                x="step", y="activity", markers=False)  # fmt: skip
    settling.axvline(SETTLE, color="0.5", linestyle=":")
    settling.legend(frameon=False, fontsize=8, loc="center right")
    return figure


RESULTS = {
    "rumelhart-iterative": (
        "an iterative net and its tied layered twin",
        "Rumelhart, Hinton & Williams 1986, figure 5",
        iterative,
    ),
}
