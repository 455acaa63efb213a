"""What a design costs: its counts, priced; inference and learning apart."""

import json
from dataclasses import asdict, dataclass

import numpy as np

from recirc_hw.ledger.counts import UNPRICED, Event, Tally
from recirc_hw.ledger.fold import fold
from recirc_hw.ledger.metrics import neurobench
from recirc_hw.ledger.prices import Priced, PriceList, price_list
from recirc_hw.ledger.tables import side_by_side

MEASURED_CASES = 1000


@dataclass(frozen=True)
class Line:
    """One event of the breakdown: how many a learned example has, and what one costs."""

    event: Event
    count: float
    price: Priced | None  # None: within the price of other events
    included: str = ""

    @property
    def energy_pj(self):
        """What they cost together."""
        return self.price.pj * self.count if self.price else 0.0


@dataclass(frozen=True)
class Cost:
    """What a design costs for one inference and for one learned example.

    Parameters
    ----------
    name : str
        The design, in words.
    counts : Tally
        Operations and memory.
    prices : PriceList
    lines : tuple of Line
        Of a learned example; those of phase "inference" are those of an inference.
    metrics : dict
        NeuroBench's names; empty where no cases were given.
    """

    name: str
    counts: Tally
    prices: PriceList
    lines: tuple[Line, ...]
    metrics: dict

    def __repr__(self):
        energy = self.energy_pj
        return (
            f"Cost({self.name}: {energy['inference']:.4g} pJ an inference, "
            f"{energy['learned_example']:.4g} pJ a learned example, '{self.prices.name}')"
        )

    @property
    def energy_pj(self):
        """pJ of an inference, of the learning alone, and of both: a learned example."""
        return self._energies("pj")

    @property
    def energy_range_pj(self):
        """The same as (low, high), as far as the prices are uncertain."""
        low, high = self._energies("low"), self._energies("high")
        return {name: (low[name], high[name]) for name in low}

    def _energies(self, field):
        found = {"inference": 0.0, "learning": 0.0}
        for line in self.lines:
            if line.price:
                found[line.event.phase] += getattr(line.price, field) * line.count
        return found | {"learned_example": sum(found.values())}

    @property
    def share_by_kind(self):
        """Share of a learned example's energy by how well its prices are known."""
        total = self.energy_pj["learned_example"]
        kinds = {"measured": 0.0, "simulated": 0.0, "assumed": 0.0}
        for line in self.lines:
            if line.price:
                kinds[line.price.kind] += line.energy_pj / total
        return kinds

    def table(self):
        """Return everything as aligned plain text."""
        return side_by_side(self)

    def record(self):
        """Return the cost as plain values that JSON takes."""
        return {
            "name": self.name, "prices": self.prices.name,
            "energy_pj": self.energy_pj, "energy_range_pj": self.energy_range_pj,
            "share_by_kind": self.share_by_kind, "metrics": self.metrics,
            "counts": self.counts.record(),
            "lines": [
                asdict(line.event)
                | {
                    "count": line.count, "energy_pj": line.energy_pj,
                    "price": line.price and asdict(line.price), "included": line.included,
                }
                for line in self.lines
            ],
        }  # fmt: skip

    def to_json(self):
        """Return the cost as the text of one JSON object."""
        return json.dumps(self.record(), indent=1, allow_nan=False)


def cost(design, task_or_cases=None, prices="digital-45nm", batch_size=None):
    """Return what a design costs, or a chip as a training has left it.

    energy = sum over events of count x price. Leakage, clocks and control are
    not in the counts.

    Parameters
    ----------
    design : Design, Chip or Run
        Of a design, the chip of seed 0 as fabricated is the one measured.
    task_or_cases : Task, float array of shape (n_cases, n_units), or None
        What the activity is measured on (its first 1000 cases), which lets products
        with a presynaptic 0 be left out; None: all are counted.
    prices : str or PriceList
        A list of the package, or a TOML file; see `price_list`.
    batch_size : int, or None
        Presentations to a write; None: the task's, or 1.

    Raises
    ------
    PriceError
        Where an event that occurs has no price; it is never taken as 0.
    """
    listed = price_list(prices)
    counts = tally(design, task_or_cases, batch_size)
    chip, cases = _chip(design), _cases(task_or_cases)
    metrics = {} if cases is None or _own(chip.design) else neurobench(chip, cases)
    return Cost(_name(chip.design), counts, listed, lines_of(counts, listed), metrics)


def tally(design, task_or_cases=None, batch_size=None):
    """Return the counts and the memory of a design or chip; see `cost`.

    A substrate in continuous time says itself what happens on it, by a method
    `tally(chip, cases, batch_size)` that returns a `Tally`.
    """
    chip, cases = _chip(design), _cases(task_or_cases)
    if batch_size is None:
        batch_size = getattr(task_or_cases, "batch_size", 1)
    if isinstance(batch_size, bool) or not isinstance(batch_size, int) or batch_size < 1:
        raise ValueError(f"batch_size = {batch_size!r}; want a whole number from 1 up")
    if _own(chip.design):
        return chip.design.substrate.tally(chip, cases, batch_size)
    if cases is None:
        return fold(chip.design, batch_size)
    busy = [float(np.count_nonzero(state) / len(state)) for state in chip.states(cases)]
    trained = f"after {chip.updates} updates" if chip.updates else "as fabricated"
    basis = f"zeros counted on {len(cases)} cases, chip {chip.seed} {trained}"
    return fold(chip.design, batch_size, busy, basis)


def lines_of(counts, prices):
    """Return the priced events of a learned example, the dearest first, inference before."""
    prices.refuse_missing(event.name for event in counts.example)
    capacities = counts.memory.capacities if counts.memory else {}
    found = []
    for event, number in counts.example.items():
        if event.name in UNPRICED:
            continue
        if event.name in prices.included and event.name not in prices.events:
            found.append(Line(event, number, None, prices.included[event.name]))
        else:
            price = prices.of(event, capacities.get(event.array, 0))
            found.append(Line(event, number, price))
    return tuple(sorted(found, key=lambda line: (line.event.phase, -line.energy_pj)))


def _chip(design):
    """Return a chip as it is, the chip that a run has left, or the first of a design."""
    if hasattr(design, "fabricate"):
        return design.fabricate(0)
    return design.chip() if hasattr(design, "chip") else design


def _own(design):
    """Return whether the substrate counts what happens on it itself."""
    return hasattr(design.substrate, "tally")


def _cases(task_or_cases):
    """Return the cases to measure on, or None."""
    if task_or_cases is None:
        return None
    cases = getattr(task_or_cases, "train", task_or_cases)
    return np.atleast_2d(np.asarray(cases, np.float64))[:MEASURED_CASES]


def _name(design):
    """Return a design in words: "Recirculation on Loop(4, 2), FixedPoint"."""
    sizes = ", ".join(str(group.size) for group in design.network.groups)
    network = f"{type(design.network).__name__}({sizes})"
    return f"{design.rule.name} on {network}, {type(design.substrate).__name__}"
