"""A sweep's cells as its pictures need them: fields, shares, errors, energies."""

import json
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from recirc_hw.designs import Design
from recirc_hw.ledger import cost
from recirc_hw.reports.style import short
from recirc_hw.studies.vary import Place, design_with

PRICED = 1000  # designs whose energy is worked out for a page; each takes milliseconds


@dataclass(frozen=True)
class Field:
    """One field that varied: a value for each cell, as numbers or as kinds.

    `at` is where each cell lies: the value itself, or the position of its kind.
    """

    name: str
    values: tuple
    numeric: bool
    kinds: tuple  # the different values, sorted where they are numbers

    @classmethod
    def of(cls, name, values):
        """Return the field that has these values in the cells."""
        numeric = all(isinstance(v, int | float) and not isinstance(v, bool) for v in values)
        kinds = dict.fromkeys(values if numeric else map(label, values))
        return cls(name, tuple(values), numeric, tuple(sorted(kinds) if numeric else kinds))

    @cached_property
    def at(self):
        """Where each cell lies on an axis of this field, shape (cells,)."""
        return np.array(self.values, float) if self.numeric else self.place.astype(float)

    @cached_property
    def place(self):
        """The position of each cell's value among the different ones, shape (cells,)."""
        where = {kind: i for i, kind in enumerate(self.kinds)}
        keys = self.values if self.numeric else map(label, self.values)
        return np.array([where[key] for key in keys], int)

    @property
    def short_name(self):
        """The name without its section."""
        return self.name.partition(".")[2] or self.name

    def told(self, kind):
        """Return one of the different values as text."""
        return short(kind) if self.numeric else kind


class Cells:
    """The cells of a store that have a result, as arrays; `fields` are those that varied."""

    def __init__(self, store):
        self.terms, self.names, self.total = store.terms, store.names, store.total
        columns = {name: i for i, name in enumerate(store.columns)}
        wanted = ("cell", *self.names, "status", "chips", "share", "low", "high", "mean_error")
        picked = [columns[name] for name in wanted]
        rows = [[row[i] for i in picked] for row in store.rows()]
        found = dict(zip(wanted, zip(*rows, strict=True), strict=True)) if rows else {}
        self.count = len(rows)
        self.numbers = np.array(found.get("cell", ()), int)
        self.done = np.array([status == "done" for status in found.get("status", ())], bool)
        for name in ("share", "low", "high", "chips", "mean_error"):
            setattr(self, name, np.array(found.get(name, ()), float))  # None becomes nan
        every = [Field.of(name, found.get(name, ())) for name in self.names]
        self.every_field = every
        self.fields = [field for field in every if len(field.kinds) > 1]

    def columns(self, kept):
        """Return the fields and the yields of some cells as a figure's numbers."""
        places = np.flatnonzero(kept)
        told = {
            field.name: (
                field.at[places] if field.numeric else [label(field.values[i]) for i in places]
            )
            for field in self.every_field
        }
        return {"cell": self.numbers[places]} | told | {
            "share learned": self.share[places], "low": self.low[places],
            "high": self.high[places], "chips": self.chips[places],
        }  # fmt: skip

    @cached_property
    def energy_nj(self):
        """Energy of a learned example in each cell, shape (cells,), nan where not known.

        None where no design has a price, or there are too many of them.
        """
        if not self.done.any() or np.count_nonzero(self.done) > PRICED:
            return None
        design = Design.from_sections(self.terms["design"])
        places = [Place.find(design, name) for name in self.names]
        known, found = {}, np.full(self.count, np.nan)
        for i in np.flatnonzero(self.done):
            values = [field.values[i] for field in self.every_field]
            key = json.dumps(values)
            if key not in known:
                changed = dict(zip(places, values, strict=True))
                known[key] = self._energy(design, changed)
            found[i] = known[key]
        return found if np.isfinite(found).any() else None

    def _energy(self, design, changed):
        """Return what a learned example costs with fields changed, in nJ; nan unpriced."""
        try:
            here = design_with(design, changed)
            spent = cost(here, batch_size=self.terms.get("batch_size", 1))
        except ValueError:  # refused, unpriced, or not told without cases
            return np.nan
        return spent.energy_pj["learned_example"] / 1000


def label(value):
    """Return a field's value as people write it: a table by its type and what it sets."""
    if isinstance(value, dict):
        rest = ", ".join(f"{k} {label(v)}" for k, v in value.items() if k != "type")
        return f"{value.get('type', '')} {rest}".strip()
    if isinstance(value, list | tuple):
        return ", ".join(map(label, value))
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return short(value)


def front(energy, error):
    """Return the positions of the Pareto front, from the least energy on.

    No other cell has both no more energy and no more error than one of them.
    """
    known = np.flatnonzero(np.isfinite(energy) & np.isfinite(error))
    order = known[np.lexsort((error[known], energy[known]))]
    best, kept = np.inf, []
    for i in order:
        if error[i] < best:
            best = error[i]
            kept.append(i)
    return np.array(kept, int)
