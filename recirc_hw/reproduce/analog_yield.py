"""Learning on imperfect analog chips: mismatch, noise, devices, dead parts; yield.

No paper has these numbers: the bands are around what an independent NumPy build found.
"""

import numpy as np

from recirc_hw import tasks
from recirc_hw.metrics import wilson_interval
from recirc_hw.reproduce.analog_parts import (
    ALL,
    UPDATES,
    counted,
    dead_parts,
    devices,
    digits,
    encoder_design,
    mismatched,
    rings,
    train_encoders,
)
from recirc_hw.reproduce.bench import (
    learned_line,
    mean_band,
    mean_share_line,
    share_band,
    share_line,
    updates_line,
)
from recirc_hw.reproduce.figures import draw_curves, new_figure, styles

CIRCUIT = {"form": "derivative_circuit", "dt_ms": 0.02}
MILD = (0.05, 0.1, 0.2)
# label: (effects, other fields, mean updates under MILD mismatch: lowest and highest,
# strength: (share of 300 chips, mean updates of those that learn))
MISMATCH = {
    "tau": (("tau",), {}, (51, 58), {0.4: (0.997, 74), 0.8: (0.87, 143)}),
    "gain": (("gain",), {}, (50, 55), {0.4: (1.0, 66), 0.8: (1.0, 113)}),
    "read weight": (("read",), {}, (50, 57), {0.4: (1.0, 73), 0.8: (0.997, 131)}),
    "write gain": (("write",), {}, (51, 54), {0.4: (1.0, 66), 0.8: (0.997, 101)}),
    "all": (ALL, {}, (52, 69), {0.4: (0.97, 128)}),
    "all, derivative circuit": (ALL, CIRCUIT, (88, 115), {0.4: (0.99, 197)}),
}
OFFSETS = {0.5: 1.0, 2.0: 0.997, 4.0: 0.75}  # sd: share of 300
# all mismatch: (share that works with an ideal chip's weights, share that learns from
# there, updates it takes), of 200 chips
LOADED = {0.05: (0.95, 1.0, 0), 0.1: (0.47, 1.0, 1), 0.2: (0.065, 1.0, 4), 0.4: (0.0, 0.99, 30)}
# sd of noise with the first of these: share of later checks that hold, of 100 chips
HELD = {("released for .288 tau, rate 20", 0.01): 0.44}
SURE = 50  # updates that the ideal chip learns on after its first success
# label: (rule and substrate fields, sd of noise: share of 100)
NOISE = {
    "released for .288 tau, rate 20": (
        {}, {}, {0.003: 1.0, 0.01: 0.99, 0.03: 0.82, 0.1: 0.29}
    ),
    "released for tau, rate 2": (
        {"learning_rate": 2.0}, {"release_ms": 1.0}, {0.01: 1.0, 0.03: 1.0, 0.1: 0.78}
    ),
}  # fmt: skip


def yields(bench):
    """Measure the share of imperfect chips that learn, and what it costs them."""
    lines, shares = _mismatch(bench)
    loaded_lines, loaded = _loaded(bench)
    noise_lines, noise = _noise(bench)
    device_lines, steps = devices(bench)
    digit_lines, errors = digits(bench)
    lines += loaded_lines + noise_lines + device_lines + dead_parts(bench)
    lines += rings(bench) + digit_lines
    settings = {
        "chips": f"{bench.pick(30, 300)} a line of mismatch, each a chip of its own, "
        f"at most {UPDATES} updates; tau_v = tau_h = tau, released for .2877 tau, rate 20",
        "mismatch": "lognormal with mean 1 and relative sd s; all: tau, gain, read and write "
        "weight gain, and offsets of sd s in net input",
        "learned": "every unit error below .1 on the chip's own first pass, noise included, "
        "for the first time",
        "ideal weights": f"of the chip of the same seed, {SURE} updates after it had learned",
        "devices": "range -16..16, for digits -8..8; the number of pulses is rounded at random",
        "digits": "written per example, released for ln(4) tau, rate .1, 10 epochs, "
        f"{bench.pick('2 chips', '5 chips, 3 with devices')}; 20 steps of integration to a "
        "time constant, in single precision",
        "bands": "of shares: where 99.9 % of builds fall, given an independent one; of mean "
        "updates and errors: four standard errors of ours and theirs",
    }
    quick = {
        "quick": "fewer chips and a choice of the strengths; only full mode measures rings of "
        "4-3-3, digits with devices, and what else a device may do than spread"
    }
    figure = _figure(shares, loaded, noise, steps, errors)
    return settings | (quick if bench.quick else {}), lines, figure


def _mismatch(bench):
    """Return the lines of mismatch and {label: {strength: runs that learned, of how many}}."""
    chips, lines, found = bench.pick(30, 300), [], {}
    for label, (effects, fields, mild, strong) in MISMATCH.items():
        expected = {s: (1.0, *mild) for s in MILD} | {s: (*v, v[1]) for s, v in strong.items()}
        found[label] = {}
        for s in bench.pick((0.1, 0.4), tuple(expected)):
            what = f"mismatch {s:g} of {label}"
            design = encoder_design(**fields, **mismatched(effects, s))
            runs = train_encoders(bench, what, design, chips)
            share, low, high = expected[s]
            lines += [
                learned_line(f"{what}: learned", runs, share, 300),
                updates_line(f"{what}: mean updates", runs, low, high, 300),
            ]
            found[label][s] = counted(runs)
    for s, share in OFFSETS.items():
        runs = train_encoders(
            bench, f"offsets of {s:g}", encoder_design(offset_mismatch=s), chips
        )
        lines.append(learned_line(f"offsets of sd {s:g}: learned", runs, share, 300))
    return lines, found


def _loaded(bench):
    """Load an ideal chip's weights on real ones: whether they work, and learn on."""
    n, lines, found = bench.pick(30, 200), [], {"loaded": {}, "then learned on the chip": {}}
    ideal = bench.fabricate(encoder_design(), n)
    bench.train_chips("ideal chips", ideal, tasks.encoder(4), max_updates=UPDATES, hold=SURE)
    for s, (works, learns, updates) in LOADED.items():
        chips = bench.fabricate(encoder_design(**mismatched(ALL, s)), n)
        for chip, source in zip(chips, ideal, strict=True):
            chip.weights = source.weights
        what = f"ideal weights on mismatch {s:g} of all"
        runs = bench.train_chips(what, chips, tasks.encoder(4), max_updates=UPDATES)
        at_once = [run.updates == 0 for run in runs]
        lines += [
            share_line(f"{what}: work at once", at_once, band=share_band(works, 200, n)),
            learned_line(f"{what}: learn on the chip", runs, learns, 200),
            updates_line(f"{what}: mean updates to learn", runs, updates, others=200),
        ]
        found["loaded"][s] = sum(at_once), n
        found["then learned on the chip"][s] = counted(runs)
    return lines, found


def _noise(bench):
    """Return the lines of noise in the units."""
    chips, lines, found = bench.pick(30, 100), [], {}
    for label, (rule, fields, shares) in NOISE.items():
        found[label] = {}
        for sd in bench.pick(tuple(shares)[1:2], tuple(shares)):
            what = f"noise of sd {sd:g}, {label}"
            runs = train_encoders(
                bench, what, encoder_design(rule, unit_noise=sd, **fields), chips
            )
            lines.append(learned_line(f"{what}: learned", runs, shares[sd], 100))
            held = [run.held_share for run in runs if run.learned]
            theirs = HELD.get((label, sd))
            band = None if theirs is None else mean_band(held, theirs, others=100)
            lines.append(mean_share_line(f"{what}: later checks that hold", held, band=band))
            found[label][sd] = counted(runs)
    return lines, found


def _figure(shares, loaded, noise, steps, errors):
    """Draw the yields with Wilson's intervals, and the digits."""
    figure, axes = new_figure(3, 2, width=13.0, height=8.4)
    titles = {
        "An ideal chip's weights on a real one": ("mismatch of everything", loaded),
        "4-2-4 under mismatch": ("relative sd of mismatch", shares),
        "4-2-4 with noise": ("sd of a unit's activity", noise),
        "4-2-4 with coarse devices": ("step, as share of the range", steps),
    }
    for ax, (title, (x, counts)) in zip(axes, titles.items(), strict=False):
        _draw_shares(ax, counts)
        ax.set(title=title, xlabel=x, ylabel="share of chips that work", ylim=(-0.03, 1.05))
        ax.set_xscale("log")
        at = sorted({x for points in counts.values() for x in points})
        ax.set_xticks(at, [f"{x:.2g}" for x in at])
        ax.set_xticks([], minor=True)
        ax.legend(frameon=False, fontsize=8, loc="lower left")
    for ax, (x, log_x, curves) in zip(axes[4:], errors, strict=True):
        if not any(xs for xs, _ in curves.values()):
            ax.set_visible(False)  # which quick mode leaves out
            continue
        draw_curves(
            ax, curves, title="Digits 64-16-64, 10 epochs", x=x, y="test error per pixel",
            log_x=log_x,
        )  # fmt: skip
        ax.set_ylim(bottom=0)
    return figure


def _draw_shares(ax, counts):
    """Draw lines of {label: {x: (hits, n)}} within Wilson's 95 % intervals."""
    for (label, points), (colour, marker) in zip(counts.items(), styles(), strict=False):
        xs = sorted(points)
        ends = np.array([wilson_interval(*points[x]) for x in xs])
        ys = [points[x][0] / points[x][1] for x in xs]
        ax.plot(xs, ys, color=colour, marker=marker, markersize=4.5, label=label)
        ax.fill_between(xs, ends[:, 0], ends[:, 1], color=colour, alpha=0.15, linewidth=0)


RESULTS = {
    "analog-yield": (
        "How many imperfect analog chips learn: mismatch, noise, devices, dead parts",
        "no paper; an independent build",
        yields,
    ),
}
