"""Learning with few bits: which rounding, how many bits of weights and activities.

No paper has these numbers: the bands are around the shares that an independent
NumPy build found with 100 chips.
"""

from recirc_hw import tasks
from recirc_hw.designs import Design
from recirc_hw.networks import Loop
from recirc_hw.reproduce.bench import learned_line, share_band, share_line
from recirc_hw.reproduce.figures import draw_curves, new_figure, sorted_line
from recirc_hw.rules import Recirculation
from recirc_hw.substrates import FixedPoint

ROUNDINGS = ("floor", "half_even", "stochastic", "carry")
# (weight bits, integer bits): share of 100 chips that learned, by rounding
ENCODER = {
    (16, 5): (1.00, 0.99, 1.00, 1.00),
    (12, 5): (0.99, 1.00, 1.00, 1.00),
    (10, 4): (0.91, 0.97, 0.96, 0.99),
    (8, 4): (0.19, 0.54, 0.99, 0.99),
    (8, 5): (0, 0.01, 0.97, 0.98),
    (6, 3): (0, 0, 0.97, 0.99),
    (5, 3): (0, 0, 0.84, 0.82),
    (4, 3): (0, 0, 0, 0),
}
ACTIVITY = {4: 0.24, 5: 0.78, 6: 0.99, 8: 0.99}
NARROW = {6: 0.09, 7: 0.64, 8: 0.94}
UPDATES, LAST = 500, 20
DEFAULT = (0.99, None)  # of a thousand default chips, those that must learn
OF_400 = 1.0  # and those that did there
# (weight bits, rounding): share that still holds over the last updates
HOLDS = {(6, "stochastic"): 0.93, (6, "carry"): 0.90}


def encoder(bench):
    """Measure the share of 4-2-4 chips that learn against bits and rounding."""
    chips = bench.pick(40, 1000)
    lines, curves, held = [], {name: {} for name in ROUNDINGS}, []
    for (bits, integer), shares in ENCODER.items():
        for name, share in zip(ROUNDINGS, shares, strict=True):
            what = f"{bits} bits ({integer} integer), {name}"
            runs = _encoders(
                bench, what, chips, weight_bits=bits, weight_fraction_bits=bits - 1 - integer,
                rounding=name,
            )  # fmt: skip
            lines.append(_learned(what, runs, share))
            held.append(_held(what, runs, HOLDS.get((bits, name))))
            if (bits, integer) != (8, 5):
                curves[name][bits] = lines[-1].ours
                if name in ("stochastic", "carry"):
                    curves.setdefault(f"{name}, still holds", {})[bits] = held[-1].ours
    activity = {"wide": {}, "narrow": {}}
    for label, shares in (("wide", ACTIVITY), ("narrow", NARROW)):
        for bits, share in shares.items():
            what = f"activity of {bits} bits, {label}"
            runs = _encoders(
                bench, what, chips, weight_bits=16, weight_fraction_bits=10,
                rounding="half_even", activity_bits=bits, wide=label == "wide",
            )  # fmt: skip
            lines.append(_learned(what, runs, share))
            held.append(_held(what, runs))
            activity[label][bits] = lines[-1].ours
    runs = _encoders(bench, "the default chip", chips)
    band = bench.pick(share_band(OF_400, 400, chips), DEFAULT)
    lines.append(share_line("the default chip: learned", [r.learned for r in runs], band=band))
    held += [_held("the default chip", runs), _held_at_once("the default chip", runs)]
    settings = {
        "chips": f"{chips} a line, at most {UPDATES} updates, learning rate 16, lambda 3/4",
        "independent": "the share of 100 chips that an independent NumPy build found",
        "bands": "3.29 standard errors of the difference of two shares about that one, so that "
        "99.9 % of right builds fall inside; of 1000 default chips 99 % must learn, of fewer "
        "what goes with its 400 of 400",
        "learned": "every unit error below .1 for the first time; later checks need not hold",
        "still holds": f"the same at every one of the last {LAST} of {UPDATES} updates",
    }
    return settings, [*lines, *held], _encoder_figure(curves, activity)


def _encoders(bench, label, chips, **fields):
    """Train 4-2-4 chips of a format to the last update; return their runs."""
    design = Design(Loop(4, 2), Recirculation(learning_rate=16.0), FixedPoint(**fields))
    return bench.train(label, design, tasks.encoder(4), chips, max_updates=UPDATES, until="end")


def _learned(what, runs, share):
    """Return the line of the share that learned, beside an independent build's."""
    return learned_line(f"{what}: learned (independent: {share:g})", runs, share)


def _held(what, runs, share=None):
    """Return the line of the share whose criterion held at each of the last updates."""
    what += ": still holds" + ("" if share is None else f" (independent: {share:g})")
    held = [
        bool((run.history["train_unit_error"][-LAST:] < run.threshold).all()) for run in runs
    ]
    return share_line(what, held, band=share and share_band(share, 100, len(runs)))


def _held_at_once(what, runs):
    """Return the line of the share that held at each check after the first crossing."""
    held = []
    for run in runs:
        after = run.history["train_unit_error"][(run.updates or 0) + 1 :][:LAST]
        held.append(run.learned and bool((after < run.threshold).all()))
    return share_line(f"{what}: holds at the next {LAST} updates, too", held)


def _encoder_figure(curves, activity):
    figure, (left, right) = new_figure(2)
    lines = {name: sorted_line(shares) for name, shares in curves.items()}
    draw_curves(
        left, lines, title="4-2-4: share that learns", x="weight bits", y="share of chips"
    )
    draw_curves(
        right, {name: sorted_line(shares) for name, shares in activity.items()},
        title="weights of 16 bits", x="activity bits", y="share of chips",
    )  # fmt: skip
    return figure


RESULTS = {
    "fixed-point": (
        "4-2-4 in fixed point: weight bits, rounding, activity bits",
        "an independent build; no paper has it",
        encoder,
    ),
}
