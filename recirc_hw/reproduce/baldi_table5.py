"""Baldi & Sadowski 2018, table 5: which learning channels let an autoencoder learn."""

import numpy as np

from recirc_hw.designs import Design
from recirc_hw.networks import Loop
from recirc_hw.reproduce.bench import mean_line
from recirc_hw.reproduce.figures import COLOURS, new_figure
from recirc_hw.rules import Channels, ErrorRecirculation
from recirc_hw.tasks import digits, mean_error

IMPOSSIBLE = "optimal learning impossible"
# (row, channels in words, rule, what the table says of it, what is expected of it)
ROWS: tuple = (
    (1, "none", {"c1": False}, IMPOSSIBLE, "nothing"),
    (2, "C2 random, output", {"c1": False, "c2": "random", "sends": "output"},
     f"{IMPOSSIBLE} or problematic", "nothing"),
    (3, "C3 = Id, output", {"c1": False, "c3": "identity", "sends": "output"},
     "circular autoencoder", "all"),
    (4, "C1", {}, f"{IMPOSSIBLE} (A can be trained but not B)", "decoder"),
    (5, "C1, C2 = A^t, error", {"c2": "transposed"}, "backpropagation", "all"),
    (5, "C1, C2 random, error", {"c2": "random"}, "random backpropagation", "all"),
    (5, "C1, C2 adaptive, error", {"c2": "adaptive"}, "random backpropagation", "all"),
    (6, "C1, C3 = Id, error", {"c3": "identity"}, "circular autoencoder", "all"),
    (6, "C1, C3 random, error", {"c3": "random"}, "learning is still possible (text)", None),
    (7, "C1, C2 = B, output", {"c2": "tracking", "sends": "output"},
     "mixed recirculation, printed C = B^t: it is C = B", "all"),
    (7, "C1, C2 random, output", {"c2": "random", "sends": "output"},
     "mixed recirculation problematic", "no better"),
    (8, "C1, C3 = Id, output", {"c3": "identity", "sends": "output"},
     "mixed recirculation (circular autoencoder)", "all"),
    (8, "C1, C3 random, output", {"c3": "random", "sends": "output"}, "not in the table",
     "no better"),
)  # fmt: skip
# Of the error over that of row 4, which trains the decoder alone.
BANDS = {"all": (None, 0.8), "no better": (0.95, None)}


def table_five(bench):
    """Reproduce which rows of table 5 learn: error on held-out digits, row by row."""
    task = digits()
    errors = {
        (row, channels): _errors(bench, f"row {row}: {channels}", fields)
        for row, channels, fields, *_ in ROWS
    }
    flat = mean_error(task.train, task.test)
    decoder = errors[4, "C1"].mean()
    lines, said = [], {}
    for row, channels, _, statement, expected in ROWS:
        values, what = errors[row, channels], f"row {row}: {channels}"
        if expected == "nothing":
            lines.append(mean_line(f"{what}: error over that of the mean image",
                                   values / flat, band=(0.95, None)))  # fmt: skip
        elif expected != "decoder":
            lines.append(mean_line(f"{what}: error over that of row 4", values / decoder,
                                   band=BANDS.get(expected)))  # fmt: skip
        said[what] = statement
    lines.append(mean_line("row 4: error over that of the mean image, A alone",
                           errors[4, "C1"] / flat, band=(None, 0.6)))  # fmt: skip
    lines += _row_six(bench, decoder)
    settings = {f"{what}, the paper": text for what, text in said.items()} | {
        "task": "digits, 64-16-64 logistic, rate .1 (linear: .01), case by case, "
        f"{bench.pick(4, 20)} epochs",
        "row 6": "the hidden units get F'(R) B C3 e (appendix B4), R taken where they work; "
        "taken at rest, f(B e) - f(0), as `ErrorRecirculation` has it, the error does not "
        "teach them: it may gain at first, but in 20 epochs ends no better than row 4. In a "
        'linear net the two are one. With a random C3 the paper\'s "still possible" holds at '
        "the smaller rate",
        "bands": "learns: at most .8 of row 4's error; does not: no better than row 4, or "
        "than the mean image where A does not learn",
    }
    return settings, lines, _figure(errors, flat)


def _row_six(bench, decoder):
    """Return the lines of row 6 taken at rest, at a smaller rate, and with linear units."""
    rest = _errors(bench, "row 6 taken at rest", rule=ErrorRecirculation)
    small = {
        what: _errors(bench, f"{what}, rate .03", fields, rule=rule, rate=0.03)
        for what, fields, rule in (
            ("row 4", {}, Channels), ("C3 = Id", {"c3": "identity"}, Channels),
            ("C3 random", {"c3": "random"}, Channels),
            ("taken at rest", {}, ErrorRecirculation),
        )
    }  # fmt: skip
    small_decoder = small.pop("row 4").mean()
    linear = [_errors(bench, f"linear, {c3}", {"c3": c3}, rate=0.01, response="identity")
              for c3 in ("identity", "none")]  # fmt: skip
    bands = {"C3 = Id": BANDS["all"]}
    return [
        mean_line("row 6 taken at rest: error over that of row 4", rest / decoder),
        *(mean_line(f"row 6 {what}, rate .03: error over that of row 4",
                    values / small_decoder, band=bands.get(what))
          for what, values in small.items()),
        mean_line("row 6 with linear units: error over that of row 4",
                  linear[0] / linear[1].mean(), band=BANDS["all"]),
    ]  # fmt: skip


def _errors(bench, label, fields=(), *, rule=Channels, rate=0.1, response="logistic"):
    """Return the error of each chip on held-out digits, by one rule or set of channels."""
    network = Loop(64, 16, visible=response, hidden=response, initial_weights="glorot",
                   output_bias="data_mean")  # fmt: skip
    design = Design(network, rule(learning_rate=rate, **dict(fields)))
    runs = bench.train(
        label, design, digits(), bench.pick(3, 10), epochs=bench.pick(4, 20), until="end"
    )
    return np.array([run.error for run in runs])


def _figure(errors, flat):
    """Return the figure: the error of each row on held-out digits."""
    figure, (ax,) = new_figure(width=9.5, height=6)
    places = np.arange(len(errors))
    colours = {"all": COLOURS[2], "nothing": COLOURS[7], "decoder": COLOURS[4]}
    for place, values, (*_, expected) in zip(places, errors.values(), ROWS, strict=True):
        ax.barh(place, values.mean(), color=colours.get(expected, COLOURS[1]), alpha=0.85)
        ax.plot(values, np.full(len(values), place), "k.", markersize=4)
    ax.axvline(flat, color="0.4", linestyle=":", label="the mean image")
    ax.set_yticks(places, [f"{row}: {channels}" for row, channels in errors])
    ax.invert_yaxis()
    ax.set(title="table 5: squared error on held-out digits, by channels (bars: means)",
           xlabel="squared error per pixel", xlim=(0, max(1.6 * flat, 0)))  # fmt: skip
    ax.legend(frameon=False)
    return figure


RESULTS = {
    "baldi-table5": (
        "learning channels of the standard autoencoder, all eight rows",
        "Baldi & Sadowski 2018, appendix B, table 5",
        table_five,
    ),
}
