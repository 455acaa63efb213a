"""Pages and parts of pages: of one training, and of many chips."""

import numpy as np

from recirc_hw.reports import plots
from recirc_hw.reports.page import Section, write_report
from recirc_hw.reports.raster import raster, rates_and_reconstruction
from recirc_hw.reports.words import (
    chips_table,
    code_size,
    comparison,
    counters_table,
    design_text,
    error_table,
    population_verdict,
    record_table,
    seconds,
    verdict,
)
from recirc_hw.substrates import FixedPoint, Spiking
from recirc_hw.text_tables import counted

SHOWN = 10  # cases drawn
PRESENTED = 4  # cases whose spikes are drawn
READ_OUT = 20  # cases whose rates are compared with the reconstruction


def run_report(folder, run, chip, task):
    """Write the page of one training into `folder`; return its path.

    Parameters
    ----------
    folder : path
    run : Run
    chip : Chip
        As the training left it.
    task : Task

    Raises
    ------
    DataError
        If the folder cannot be written; the message names it.
    """
    title = f"Chip {run.seed} on {run.task}"
    sections = [
        _error_section(run, task),
        *_insides(run, chip, task),
        *_listings(run, task),
    ]
    lead = f"{verdict(run)} {comparison(run, task)}"
    return write_report(folder, title, sections, _facts([run]), lead)


def population_report(folder, runs, chips, task):
    """Write the page of many chips of one design into `folder`; return its path.

    The chip that took the median number of updates is shown in detail, or the
    first where none learned. `chips` are those of `runs`, in the same order.
    """
    typical = _typical(runs)
    run, chip = runs[typical], chips[typical]
    speed = ", of median speed" if run.learned else ""
    sections = [
        _population(runs),
        *_insides(run, chip, task, f"Chip {run.seed}{speed}, in detail. "),
        Section("Every chip", table=chips_table(runs)),
        *_listings(run, task),
    ]
    title = f"{counted(len(runs), 'chip')} on {run.task}"
    return write_report(folder, title, sections, _facts(runs), population_verdict(runs))


def population_section(runs):
    """Return the part of a page on how many chips learned, and how fast."""
    return _population(runs, f"{population_verdict(runs)} {runs[0].criterion}")


def _population(runs, opening=""):
    text = (
        "The upper picture counts the chips by the updates they took; the lower one adds "
        "them up, over all chips that were made. The band is where the true share lies "
        "with 95\u00a0% confidence."
    )
    title = f"{counted(len(runs), 'chip')} on {runs[0].task}"
    return Section(title, f"{opening}\n\n{text}", plots.population(runs), anchor="population")


def run_sections(run, chip, task):
    """Return the parts of a page on one training, in the order of a story."""
    found = f"{verdict(run)} {comparison(run, task)} {run.criterion}"
    return [
        _error_section(run, task, found),
        *_insides(run, chip, task),
        *_listings(run, task),
    ]


def _error_section(run, task, opening=""):
    """Return the part on the error over updates."""
    return Section(
        f"The error on {run.task}",
        f"{opening}\n\n{_curve_text(run)}",
        plots.error_curve(run),
        error_table(run, task),
        anchor="error-curve",
    )


def _curve_text(run):
    """Return how to read the error curve."""
    text = "Both axes are logarithmic; the dotted line is the threshold to pass."
    updates = run.history["update"]
    if len(updates) < 2 or updates[1] - updates[0] <= 1:
        return text
    stretch = counted(round(updates[1] - updates[0]), "update")
    return f"{text} Each point of the training curve is a mean over {stretch}."


def _insides(run, chip, task, opening=""):
    """Return the parts on what a chip does, and what went on inside it."""
    pca = _pca(task, code_size(run.design)) if task.image_shape else None
    return [
        Section(
            "What comes back",
            opening + _reconstruction_text(run, task),
            plots.reconstructions(chip, task, SHOWN, pca),
            anchor="reconstructions",
        ),
        *_oscilloscope(chip, task),
        Section(
            "What hidden units listen to",
            "The weights from the visible group into each unit of the first hidden group: "
            "red or orange where an active input drives the unit, blue where it quiets it.",
            plots.receptive_fields(chip, task),
            anchor="receptive-fields",
        ),
        Section(
            "Weights",
            "How large the weights and the biases are: the range and the resolution that a "
            "chip must hold them with.",
            plots.weight_histograms(chip),
            anchor="weights",
        ),
        *(_probe_sections(run) if run.probes else []),
    ]


def _reconstruction_text(run, task):
    """Return what the picture of reconstructions shows."""
    which = "never seen in training" if task.held_out else "which are the training cases"
    text = f"Test cases, {which}, and what the chip answers after one pass round the loop."
    if not task.image_shape:
        return text
    code = counted(code_size(run.design), "component")
    return (
        f"{text} PCA with {code} is the best that a linear code as long can do on the cases "
        "it was fitted to. The errors beside the rows are of the cases drawn."
    )


def _probe_sections(run):
    """Return the parts on the directions and sizes of weight changes."""
    return [
        Section(
            "Does it follow the gradient?",
            "A cosine of 1 means the same direction, 0 a right angle, below 0 the opposite. "
            "Left: the weight change that the rule asks for, against steepest descent of the "
            "squared error, which a local rule never computes. Above 0, a small step lowers "
            "the error. Right: whether the weights of the way out have grown alike to those of "
            "the way in, transposed; nothing ties them.",
            plots.alignment(run),
            anchor="alignment",
        ),
        Section(
            "How much each layer changes",
            "The size of the change that the rule asks of each weight, before the learning "
            "rate. Smaller ones are what limited precision loses first.",
            plots.layer_changes(run),
            anchor="layer-changes",
        ),
    ]


def _listings(run, task):
    """Return the parts that let someone repeat the training."""
    return [
        *_fixed_point(run),
        *_spikes(run, task),
        Section(
            "The design",
            "The chip on paper, as a design file holds it.",
            listing=design_text(run.design),
            anchor="design",
        ),
        _program(run),
        Section("The record", table=record_table(run, task), anchor="record"),
    ]


def _program(run):
    """Return the part on what a chip does for each case."""
    if run.design.is_clocked:
        return Section(
            "The program",
            "What the chip executes for each case, and what it writes after each batch.",
            listing=str(run.design.program),
            anchor="program",
        )
    return Section(
        "The phases",
        "What the chip goes through for each case: which groups are held at the case, which "
        "follow their input, and which weights learn meanwhile.",
        listing=str(run.design.lowered()),
        anchor="program",
    )


def _oscilloscope(chip, task):
    """Return the part on one case in continuous time; none where it is clocked or spikes."""
    if chip.design.is_clocked or isinstance(chip.design.substrate, Spiking):
        return []
    return [
        Section(
            "One case, as an oscilloscope shows it",
            "The first test case goes through clamp and release on the trained chip. What the "
            "visible units drift towards while they are released is the reconstruction; what "
            "is left to change is what is left to learn.",
            chip.record(task.test[0]).plot(),
            anchor="oscilloscope",
        )
    ]


def _fixed_point(run):
    """Return the parts on a chip of few bits: what was cut off, and how wide signals are."""
    if not isinstance(run.design.substrate, FixedPoint):
        return []
    widths = run.design.widths(run.batch_size)
    return [
        Section(
            "What few bits did",
            "Writes that hit a weight's rail; sums outside the response's table; weight "
            "changes asked for, and those of them that rounding made nothing of "
            "(not counted, -, where remainders are carried: none is lost).",
            table=counters_table(run),
            anchor="counters",
        ),
        Section(
            "How wide every signal is",
            "From the largest and smallest value it can take.",
            listing=str(widths),
            anchor="widths",
        ),
    ]


def _spikes(run, task):
    """Return the parts on a spiking chip: who fires when, and what learning has counted."""
    if not isinstance(run.design.substrate, Spiking):
        return []
    chip = run.chip()
    return [
        Section(
            "Who fires when",
            "The first cases, one after another, as the training left the chip: shaded while "
            "they are clamped, then the loop runs free and weights learn. Below each group "
            "the rates of the units that change most.",
            raster(chip.record(task.train[:PRESENTED])),
            anchor="raster",
        ),
        Section(
            "Rates against the reconstruction",
            "A point is a visible unit and a case: its rate while the chip is read out, "
            "against what its weights make of the case, by the rate of a neuron against "
            "constant drive. Off the line is the noise of spikes.",
            rates_and_reconstruction(chip, task.test[:READ_OUT]),
            anchor="rates",
        ),
        Section(
            "What the training cost in events",
            "Spikes, synaptic events and updates of neurons during the clamp are what "
            "inference takes; learning adds the release, the updates of traces, and the "
            "writes of weights.",
            table=counters_table(run, "Events in each phase, all presentations", "phase"),
            anchor="events",
        ),
    ]


def _pca(task, components):
    """Return what PCA makes of the cases drawn."""
    mean, axes = task.principal_axes
    leading = axes[:, :components]
    return mean + (np.asarray(task.test[:SHOWN]) - mean) @ leading @ leading.T


def _typical(runs):
    """Return the position of the chip that took the median number of updates."""
    learned = [i for i, run in enumerate(runs) if run.learned]
    learned.sort(key=lambda i: runs[i].updates)
    return learned[len(learned) // 2] if learned else 0


def _facts(runs):
    """Return what to know of a training at a glance."""
    run = runs[0]
    rule, _, network = run.design.program.name.partition(" on ")
    one = len(runs) == 1
    return {
        "Network": network,
        "Rule": rule,
        "Criterion": run.criterion,
        "Seed" if one else "Seeds": f"{run.seed}" if one else f"{run.seed} to {runs[-1].seed}",
        "Time": f"{seconds(run.wall_s)} on the {run.backend} backend",
    }
