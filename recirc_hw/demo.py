"""The demonstration: a hundred paper chips, and one chip on real handwriting."""

import os
import webbrowser

import numpy as np

from recirc_hw import tasks
from recirc_hw.design_file import starting_design
from recirc_hw.designs import Design
from recirc_hw.metrics import squared_error, wilson_interval
from recirc_hw.reports import population_section, run_sections, write_report
from recirc_hw.substrates import FixedPoint
from recirc_hw.tasks.pca import pca_error, pca_reconstruct
from recirc_hw.terminal import is_interactive, out, pictures, training_progress
from recirc_hw.training import train

CHIPS = 100
SHOWN = 8  # digits in the terminal's picture


def run_demo(folder, quiet=False):
    """Train, print a verdict, write the page into `folder`; return the record."""
    encoder, digits = tasks.encoder(4), tasks.digits()
    chips = [starting_design(encoder).fabricate(seed) for seed in range(CHIPS)]
    with training_progress(f"{CHIPS} chips on the 4-2-4 encoder") as progress:
        runs = train(chips, encoder, progress=progress)
    chip = starting_design(digits).fabricate(0)
    with training_progress("one chip on handwritten digits") as progress:
        run = chip.train(digits, epochs=20, progress=progress)
    with training_progress("the same chip with 8 bits") as progress:
        few = _eight_bits(chip.design).fabricate(0).train(digits, epochs=20, progress=progress)
    record = _record(runs, run, chip, digits) | {"eight_bit_error": few.error}
    sections = [population_section(runs), *run_sections(run, chip, digits)]
    facts = {"Seeds": f"encoder 0 to {CHIPS - 1}, digits {chip.seed}"}
    lead = " ".join(_verdicts(record))
    page = write_report(folder, "Recirculation chips learn", sections, facts, lead)
    record["report"] = str(page)
    if not quiet:
        _show(record, chip, digits)
        out.print(f"\nThe whole story, with pictures: {page}", markup=False)
        if is_interactive() and (
            os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
        ):
            webbrowser.open(page.resolve().as_uri())
    return record


def _eight_bits(design):
    """Return the design with weights and activities of 8 bits."""
    return Design(design.network, design.rule, FixedPoint(weight_fraction_bits=4))


def _record(runs, run, chip, digits):
    """Return what the demonstration found, as JSON takes it."""
    learned = sum(r.learned for r in runs)
    code = chip.design.network.code.size
    return {
        "chips": len(runs),
        "learned": learned,
        "interval": wilson_interval(learned, len(runs)),
        "mean_updates": float(np.mean([r.updates for r in runs if r.learned])),
        "digits_error": run.error,
        "digits_learned": run.learned,
        "pca_error": pca_error(digits.train, digits.test, code),
        "mean_image_error": squared_error(digits.test, digits.train.mean(axis=0)),
        "code_size": code,
        "updates": run.total_updates,
        "wall_s": run.wall_s,
    }


def _verdicts(record):
    """Return the findings as sentences."""
    low, high = record["interval"]
    cost = 100 * (record["eight_bit_error"] / record["digits_error"] - 1)
    return (
        f"{record['learned']} of {record['chips']} chips learned the 4-2-4 encoder "
        f"(95 % interval {low:.3f} to {high:.3f}), on average after "
        f"{record['mean_updates']:.0f} weight updates (Hinton & McClelland 1988: 48).",
        f"One chip learned handwritten digits through {record['code_size']} hidden units: "
        f"squared error {record['digits_error']:.4f} per pixel on held-out digits "
        f"(PCA of the same size {record['pca_error']:.4f}, "
        f"the mean image {record['mean_image_error']:.4f}), "
        f"{record['updates']} updates in {record['wall_s']:.1f} s.",
        f"The same chip with weights and activities of 8 bits: "
        f"{record['eight_bit_error']:.4f}; its bits cost it {cost:.1f} % more error.",
    )


def _show(record, chip, digits):
    """Print the picture and the verdicts."""
    cases = digits.test[:SHOWN]
    rebuilt = pca_reconstruct(digits.train, cases, record["code_size"])
    out.print("held-out digits; what the chip makes of them; what PCA does:\n", markup=False)
    pictures([cases, chip.reconstruct(cases), rebuilt], digits.image_shape)
    for verdict in _verdicts(record):
        out.print(f"* {verdict}", markup=False)
