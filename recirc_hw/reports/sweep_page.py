"""The page of a sweep: which pictures it has follows from what varied."""

import math

import numpy as np

from recirc_hw.designs import Design
from recirc_hw.reports.page import Section, Table, write_report
from recirc_hw.reports.study_page import design_section
from recirc_hw.reports.study_words import network_facts
from recirc_hw.reports.sweep_cells import Cells, front, label
from recirc_hw.reports.sweep_figures import (
    LETTERS,
    LINES,
    PANELS,
    tradeoff,
    yield_by_field,
    yield_curves,
    yield_maps,
    yield_points,
)
from recirc_hw.reports.words import counted

MOST_KINDS = 60  # values of a field up to which a map has a row or a column for each
PROBLEMS = 20  # cells without a yield that are listed

BANDS = "The bands hold the true share with 95\u00a0% confidence (Wilson), each cell by itself."


def sweep_report(folder, store):
    """Write the page of a sweep, as far as it is, into `folder`; return its path.

    Parameters
    ----------
    folder : path
    store : Store

    Raises
    ------
    DataError
        If the folder cannot be written; the message names it.
    """
    cells, terms = Cells(store), store.terms
    design, file = Design.from_sections(terms["design"]), terms["file"]
    sections = [*sweep_sections(store, cells), design_section(design)]
    facts = network_facts(design) | {
        "Task": terms["task"],
        "Fields": ", ".join(store.names),
        "Cells": f"{store.total:,}, {file['sample'].replace('_', ' ')}",
        "Chips": f"{file['chips']:,} in each cell, from seed {file['seed']}",
    }
    return write_report(
        folder, f"Sweep: {store.path.parent.name}", sections, facts, _lead(cells)
    )


def sweep_sections(store, cells=None):
    """Return the parts of a page on a sweep: yields, energy, cells without a yield."""
    cells = Cells(store) if cells is None else cells
    return [*_yields(cells), *_energy(cells), *_problems(store, cells)]


def _lead(cells):
    """Return a sweep in a sentence: how far it is, and the best cell."""
    missing = cells.total - cells.count
    ahead = f" So far: {missing:,} of {counted(cells.total, 'cell')} are still to come."
    rest = ahead if missing else ""
    if not cells.done.any():
        return f"No cell has a yield.{rest}"
    shares = 100 * cells.share[cells.done]
    if np.ptp(shares) == 0:
        return f"In every cell {shares[0]:.0f}\u00a0% of chips learn.{rest}"
    best = int(np.nanargmax(np.where(cells.done, cells.low, -1)))
    values = ", ".join(f"{f.short_name} {label(f.values[best])}" for f in cells.every_field)
    return (
        f"From {shares.min():.0f}\u00a0% to {shares.max():.0f}\u00a0% of chips learn; most "
        f"surely with {values} ({100 * cells.low[best]:.1f} to {100 * cells.high[best]:.1f}"
        f"\u00a0%, the 95\u00a0% interval).{rest}"
    )


# -- yields --------------------------------------------------------------------------------


def _yields(cells):
    """Return the parts on the yields: a curve, maps, or all fields in turn."""
    fields = sorted(cells.fields, key=lambda field: (not field.numeric, -len(field.kinds)))
    if not cells.done.any() or not fields:
        return []
    if len(fields) == 1:
        text = f"{_curve_text(fields[0])} {BANDS}"
        figure = yield_curves(cells, fields[0])
        return [Section(f"Yield against {fields[0].name}", text, figure, anchor="yield")]
    found = [*_curves(cells, fields), *_maps(cells, fields)]
    if len(fields) > 2 or not found:
        text = (
            "Every dot is a cell; its other fields have any of their values. Diamonds are "
            "means over cells at a value, or over a tenth of the cells where values are many: "
            "a field whose means hardly move matters little by itself."
        )
        found.append(
            Section("Each field in turn", text, yield_by_field(cells), anchor="fields")
        )
    return found


def _curve_text(field):
    """Return how to read one curve."""
    return f"The share of chips that learn at each value of {field.name}."


def _curves(cells, fields):
    """Return the part with a curve for each value of the second of two fields."""
    if len(fields) != 2 or len(fields[1].kinds) > LINES or not _is_grid(fields, cells):
        return []
    field, by = fields
    text = f"{_curve_text(field)} One curve for each {by.name}. {BANDS}"
    figure = yield_curves(cells, field, by)
    return [Section(f"Yield against {field.name}", text, figure, anchor="yield")]


def _maps(cells, fields):
    """Return the part with maps over the two fields of most values; others get a map each."""
    (across, up), panels = fields[:2], fields[2:]
    title = f"Map over {across.short_name} and {up.short_name}"
    if _is_grid(fields, cells) and math.prod(len(field.kinds) for field in panels) <= PANELS:
        names = " and ".join(field.name for field in panels)
        each = f" There is a map for each {names}." if panels else ""
        text = (
            "The number in a square and its shade are the share of chips that learn, in per "
            f"cent; a dash where no such chip can be built or none was trained.{each}"
        )
        return [Section(title, text, yield_maps(cells, across, up, panels), anchor="map")]
    if len(fields) > 2:
        return []
    text = "Every dot is a cell; the darker, the more chips learn."
    return [Section(title, text, yield_points(cells, across, up), anchor="map")]


def _is_grid(fields, cells):
    """Return whether the cells fill most of the combinations of few values each."""
    counts = [len(field.kinds) for field in fields]
    return max(counts) <= MOST_KINDS and math.prod(counts) <= 2 * cells.count


# -- energy, and cells without a yield -------------------------------------------------------


def _energy(cells):
    """Return the part on energy against error; none where energies are unknown or all alike."""
    energy = cells.energy_nj
    if energy is None or np.unique(energy[np.isfinite(energy)]).size < 2:
        return []
    best = front(energy, cells.mean_error)
    text = (
        "Energy is that of one learned example, inference and weight changes, priced for 45 nm "
        "digital logic with every product counted. Error is the mean over a cell's chips. No "
        "cell beats one of the Pareto front in both."
    )
    rows = tuple(
        (
            LETTERS[k] if k < len(LETTERS) else "", str(cells.numbers[i]),
            *(label(field.values[i]) for field in cells.every_field),
            f"{energy[i]:.4g}", f"{cells.mean_error[i]:.4g}", f"{100 * cells.share[i]:.1f}",
        )
        for k, i in enumerate(best)
    )  # fmt: skip
    names = tuple(field.short_name for field in cells.every_field)
    head = ("point", "cell", *names, "energy, nJ", "error", "learned, %")
    table = Table("The Pareto front, from the least energy on", head, rows)
    return [Section("Energy against error", text, tradeoff(cells), table, anchor="energy")]


def _problems(store, cells):
    """Return the part on cells that were refused or failed, the first ones."""
    without = np.flatnonzero(~cells.done)
    if not without.size:
        return []
    columns = store.columns
    status, problem = columns.index("status"), columns.index("problem")
    rows = []
    for row in store.rows():
        if row[status] != "done":
            rows.append((str(row[0]), row[status], row[problem] or ""))
        if len(rows) == PROBLEMS:
            break
    more = f"; the first {PROBLEMS} of {without.size:,}" if without.size > PROBLEMS else ""
    table = Table(f"Cells without a yield{more}", ("cell", "status", "why"), tuple(rows))
    return [Section("Cells without a yield", table=table, anchor="problems")]
