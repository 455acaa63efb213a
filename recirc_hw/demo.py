"""The demonstration: paper chips, real handwriting, and the study's short form."""

import os
import webbrowser

import numpy as np

from recirc_hw import tasks
from recirc_hw.design_file import default_chips, starting_design
from recirc_hw.ledger import cost
from recirc_hw.ledger.tables import energy
from recirc_hw.metrics import squared_error, wilson_interval
from recirc_hw.reports import (
    population_section,
    run_sections,
    transfer_section,
    write_report,
)
from recirc_hw.studies import transfer
from recirc_hw.tasks.pca import pca_error, pca_reconstruct
from recirc_hw.terminal import (
    is_interactive,
    out,
    pictures,
    study_progress,
    training_progress,
)
from recirc_hw.training import train

CHIPS = 100
EIGHT, ANALOG = "digital, 8 bits", "analog, 20 % mismatch"
SHOWN = 8  # digits in the terminal's picture
LOADED = 50  # chips that are given an ideal chip's weights,
MISMATCH = (0.05, 0.1, 0.2, 0.4)  # at these spreads of every part


def run_demo(folder, quiet=False):
    """Train, print a verdict, write the page into `folder`; return the record."""
    encoder, digits = tasks.encoder(4), tasks.digits()
    chips = [starting_design(encoder).fabricate(seed) for seed in range(CHIPS)]
    with training_progress(f"{CHIPS} chips on the 4-2-4 encoder") as progress:
        runs = train(chips, encoder, progress=progress)
    chip, eight = starting_design(digits).fabricate(0), default_chips(digits)[EIGHT]
    with training_progress("one chip on handwritten digits") as progress:
        run = chip.train(digits, epochs=20, progress=progress)
    with training_progress("the same chip with 8 bits") as progress:
        few = eight.fabricate(0).train(digits, epochs=20, progress=progress)
    loaded = _loaded(encoder)
    record = _record(runs, run, chip, digits) | {"eight_bit_error": few.error}
    record |= {"loading": loaded.summary(), "energy_pj": _energies(eight, digits)}
    sections = [
        population_section(runs), transfer_section(loaded), *run_sections(run, chip, digits)
    ]  # fmt: skip
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


def _loaded(encoder):
    """Return how an ideal chip's weights do on analog chips, against learning there."""
    with study_progress("weights loaded, and learned on the chip") as progress:
        return transfer(
            default_chips(encoder)[ANALOG], encoder, field="substrate.*_mismatch",
            values=MISMATCH, chips=LOADED, progress=progress,
        )  # fmt: skip


def _energies(design, task):
    """Return pJ a learned example by a design's own rule and by backprop."""
    rivals = {"own": design, "backprop": design.with_rule("backprop")}
    return {name: cost(one, task).energy_pj["learned_example"] for name, one in rivals.items()}


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
        *_short_form(record),
    )


def _short_form(record):
    """Return what the study says in its short form, as sentences."""
    point = next(p for p in record["loading"]["points"] if p["value"] == 0.2)
    ours, theirs = record["energy_pj"]["own"], record["energy_pj"]["backprop"]
    more = "more" if ours >= theirs else "less"
    return (
        f"On analog chips with 20 % mismatch of every part an ideal chip's weights do the "
        f"encoder on {point['loaded']['learned']} of {LOADED}, weights learned on the chip "
        f"itself on {point['learned']['learned']}.",
        f"A learned digit costs the 8-bit chip about {energy(ours)}, "
        f"{abs(100 * (ours / theirs - 1)):.0f} % {more} than backprop, but it reads no weight "
        f"backwards. The whole study, on digits: recirc-hw study --out study",
    )


def _show(record, chip, digits):
    """Print the picture and the verdicts."""
    cases = digits.test[:SHOWN]
    rebuilt = pca_reconstruct(digits.train, cases, record["code_size"])
    out.print("held-out digits; what the chip makes of them; what PCA does:\n", markup=False)
    pictures([cases, chip.reconstruct(cases), rebuilt], digits.image_shape)
    for verdict in _verdicts(record):
        out.print(f"* {verdict}", markup=False)
