"""What a page says of a training: sentences and tables."""

import numpy as np

from recirc_hw.metrics import squared_error
from recirc_hw.reports.curves import by_unit_error
from recirc_hw.reports.distributions import share_sentence
from recirc_hw.reports.page import Table
from recirc_hw.tasks.pca import error_along
from recirc_hw.text_tables import counted

CHIPS_LISTED = 100


def seconds(wall_s):
    """Return a length of time with the digits that matter."""
    return f"{wall_s:.2g} s" if wall_s < 10 else f"{wall_s:,.0f} s"


# -- one chip ------------------------------------------------------------------------


def verdict(run):
    """Return whether a chip learned, when, and whether that lasted, as one sentence."""
    total = counted(run.total_updates, "weight update")
    if run.learned:
        after = counted(run.updates, "weight update")
        return f"This chip learned {run.task} after {after}{_lasting(run)}."
    if run.diverged:
        return f"This chip diverged: within {total} a weight of it was no longer finite."
    if run.interrupted:
        return f"Stopped by hand after {total}; {run.task} was not learned by then."
    return f"This chip did not learn {run.task} in {total}."


def _lasting(run):
    """Return whether the criterion held at later checks, as the end of a sentence."""
    if run.diverged:
        return ", and diverged later"
    if run.interrupted:
        return f", and was stopped by hand after {run.total_updates:,}"
    if not run.checks:
        return "; no later check was made"
    if run.held:
        checks = (
            "the one later check" if run.checks == 1 else f"all {run.checks:,} later checks"
        )
        return f", and held it at {checks}"
    passed = round(run.held_share * run.checks)
    return f", but held it at only {passed:,} of {counted(run.checks, 'later check')}"


def comparison(run, task):
    """Return how a chip's error compares with the mean case's and PCA's, as a sentence."""
    if not np.isfinite(run.error):
        return "Its error is no longer a number."
    code = code_size(run.design)
    if by_unit_error(run):
        return (
            f"Its largest error in any unit of any case is {run.unit_error:.3g}, "
            f"and its mean squared error {run.error:.3g}."
        )
    parts = "components" if code > 1 else "component"
    found = (
        f"Its squared error per unit on {_cases(task)} is {run.error:.3g}. "
        f"Answering every case with the mean of the training cases leaves "
        f"{mean_case_error(task):.3g}"
    )
    if task.n_targets:  # PCA codes what it is given; here something else is asked for
        return f"{found}."
    return (
        f"{found}, and PCA with {code} {parts}, a code as long as the chip's, "
        f"{pca_error(task, code):.3g}."
    )


def error_table(run, task):
    """Return the chip's errors beside those of the mean case and of PCA."""
    rows = [
        ("this chip", f"{run.error:.3g}" if np.isfinite(run.error) else "it diverged"),
        ("mean of the training cases", f"{mean_case_error(task):.3g}"),
    ]
    if not task.n_targets:
        code = min(code_size(run.design), task.n_units)
        rows.insert(1, (f"PCA, {counted(code, 'component')}", f"{pca_error(task, code):.3g}"))
    if not by_unit_error(run):
        rows.insert(1, ("to pass", f"below {run.threshold:.3g}"))
    return Table(
        f"Squared error per unit, on {_cases(task)}", ("what answers", "error"), tuple(rows)
    )


def code_size(design):
    """Return how many units the narrowest hidden group has."""
    return design.network.code.size


def pca_error(task, components):
    """Return PCA's squared error per unit on the test cases."""
    return error_along(task.principal_axes, task.test, min(components, task.n_units))


def mean_case_error(task):
    """Return the squared error per unit of answering with the mean training case."""
    return squared_error(task.targets(task.test), task.targets(task.train).mean(axis=0))


def _cases(task):
    where = "held-out cases" if task.held_out else "training cases"
    return f"{len(task.test):,} {where}"


def record_table(run, task):
    """Return what this training was made with, for who wants to repeat it."""
    weights = sum(matrix.size for matrix in run.weights)
    unit_error = "none" if not np.isfinite(run.unit_error) else f"{run.unit_error:.3g}"
    entropy = "none" if run.cross_entropy is None else f"{run.cross_entropy:.4g} nats"
    rows = [
        ("task", run.task),
        ("cases", f"{len(task.train):,} to learn, {_cases(task)} to test"),
        ("source of the cases", getattr(task, "source", "") or "not given"),
        ("criterion", run.criterion),
        ("chip", f"seed {run.seed}"),
        ("weights and biases", f"{weights:,}"),
        ("weight updates", f"{run.total_updates:,}, {counted(run.batch_size, 'case')} each"),
        ("checks once learned", f"{run.checks:,}"),
        ("largest unit error", unit_error),
        ("cross-entropy per unit", entropy),
        ("backend", run.backend),
        ("time", seconds(run.wall_s)),
        ("versions", ", ".join(f"{name} {which}" for name, which in run.versions.items())),
    ]
    return Table("What this training was made with", (), tuple(rows))


def counters_table(run, caption="What was cut off while learning", what="matrix"):
    """Return a chip's counters, a row a matrix or a phase; a dash where none are counted."""
    names = tuple(next(iter(run.counters.values())))
    rows = tuple(
        (matrix, *("-" if counts[name] is None else f"{counts[name]:,}" for name in names))
        for matrix, counts in run.counters.items()
    )
    heads = (what, *(name.replace("_", " ") for name in names))
    return Table(caption, heads, rows)


def design_text(design):
    """Return a design as its file holds it, or as Python writes it where no file can."""
    try:
        return design.to_toml()
    except ValueError:
        return repr(design)


# -- many chips ----------------------------------------------------------------------


def population_verdict(runs):
    """Return what share of chips learned, and how it lasted, as one or two sentences."""
    learned = [run for run in runs if run.learned]
    text = f"{share_sentence(len(learned), len(runs))}."
    if not learned:
        return text
    updates = np.array([run.updates for run in learned])
    held = sum(run.held for run in learned)
    return (
        f"{text} Those that did took {updates.mean():,.0f} weight updates on average and "
        f"{np.median(updates):,.0f} in the median; {held:,} of them passed every later check."
    )


def chips_table(runs):
    """Return one row per chip, the first hundred of them."""
    rows = tuple(
        (
            str(run.seed),
            f"{run.updates:,}" if run.learned else _ending(run),
            "yes" if run.held else "no",
            f"{run.error:.3g}",
            f"{run.unit_error:.3g}",
        )
        for run in runs[:CHIPS_LISTED]
    )
    part = "" if len(runs) <= CHIPS_LISTED else f"The first {CHIPS_LISTED} of "
    head = ("seed", "learned after", "held", "squared error", "largest unit error")
    return Table(f"{part}{counted(len(runs), 'chip')}", head, rows)


def _ending(run):
    """Return how a training ended that did not learn."""
    if run.diverged:
        return "diverged"
    return "stopped by hand" if run.interrupted else "not learned"
