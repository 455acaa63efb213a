"""Loaded or learned: an ideal chip's weights on real chips, against learning there."""

from dataclasses import dataclass, field, replace

import numpy as np

from recirc_hw.designs import Design
from recirc_hw.errors import DesignError
from recirc_hw.metrics import squared_error, unit_error
from recirc_hw.studies.ablation import effect_names
from recirc_hw.studies.learning_yield import Yield
from recirc_hw.studies.outcomes import Bench, Outcomes
from recirc_hw.studies.statistics import Pairing, pairing
from recirc_hw.studies.vary import Place, design_with
from recirc_hw.training.plan import whole

SURE = 50  # checks that an ideal chip learns on after its first success


@dataclass(frozen=True)
class TransferPoint:
    """What became of the same chips in three ways, at one value of the field.

    `loaded`: they got an ideal chip's weights, and learned nothing; `tuned`: they then
    learned from there; `learned`: they learned from their own initial weights. All three
    count the chips that meet the criterion as they are left. `gained` compares learned
    with loaded.
    """

    value: float | None
    loaded: Yield
    tuned: Yield
    learned: Yield
    gained: Pairing

    def summary(self):
        """Return the point as JSON takes it."""
        ways = ("loaded", "tuned", "learned")
        yields = {name: getattr(self, name).summary() for name in ways}
        return {"value": self.value, **yields, "gained": vars(self.gained)}


@dataclass(frozen=True)
class Transfer:
    """Whether learning on the chip beats loading an ideal chip's weights."""

    name: str | None  # the field that varies
    points: tuple[TransferPoint, ...]
    ideal: Yield  # the chips whose weights were loaded
    chips: int
    seed: int
    confidence: float
    interrupted: bool = False
    design: object = field(repr=False, default=None)

    def at(self, value=None):
        """Return the point at a value of the field.

        Raises
        ------
        KeyError
            If there is none.
        """
        for point in self.points:
            if point.value == value:
                return point
        raise KeyError(value)

    def summary(self):
        """Return the comparison as JSON takes it."""
        names = ("name", "chips", "seed", "confidence", "interrupted")
        record = {name: getattr(self, name) for name in names}
        points = [point.summary() for point in self.points]
        return record | {"ideal": self.ideal.summary(), "points": points}

    def plot(self):
        """Return a Matplotlib figure: the shares that work, loaded and learned."""
        from recirc_hw.reports.answer_figures import transfer_figure

        return transfer_figure(self)


def transfer(
    design,
    task,
    *,
    field=None,
    values=None,
    chips=100,
    seed=0,
    confidence=0.95,
    progress=None,
    **training,
):
    """Compare loading an ideal chip's weights with learning on the chip.

    Ideal chips, the design without its hardware effects, learn the task, and go on for a
    while after they can do it. Chip i of every design is given the weights of ideal
    chip i, or the nearest that it can hold. It works if it meets the task's criterion
    as it is. Then it learns from there; and the same chip, from its own initial weights.

    Parameters
    ----------
    design : Design of a substrate that names its effects
    task : Task
    field : str, or None
        Compare at several values of it; a name with a * moves all fields that it fits.
    values : sequence of numbers
        Of the field; none where no field is given.
    chips : int
    seed, confidence, progress, **training
        As `learning_yield` takes them; intervals are of each point by itself.

    Returns
    -------
    Transfer; after Ctrl-C with the points that were done, marked `interrupted`.

    Raises
    ------
    UnsupportedError
        If the substrate has no effects: then there is nothing to load from.
    DesignError
        If there is no such field, or a value is not allowed.
    KeyboardInterrupt
        After Ctrl-C, where no point was done yet.
    """
    chips, seed = whole("chips", chips), whole("seed", seed, 0)
    designs = _varied(design, field, values)
    # A design without effects may get some by the field that varies.
    effects = effect_names(design.substrate) if field is None else design.substrate.effects()
    ideal = Design(design.network, design.rule, design.substrate.without(*effects))
    count = _Count(progress, chips, 1 + 2 * len(designs))
    given, points, interrupted = [], [], False
    bench = Bench(
        ideal, task, seed, after=lambda chip: given.append(chip.weights),
        **training | {"until": task.until, "hold": SURE},
    )  # fmt: skip
    source = Yield.of(bench.go_to(chips, count.told("ideal chips")), ideal, task, confidence)
    try:
        for value, real in designs:
            told = "" if value is None else f"{field} = {value:g}: "
            found = _Three(real, task, seed, given, training).at(count, told)
            points.append(_point(value, real, task, confidence, *found))
    except KeyboardInterrupt:
        if not points:
            raise
        interrupted = True
    return Transfer(
        field, tuple(points), source, chips, seed, confidence, interrupted, design
    )  # fmt: skip


def _varied(design, name, values):
    """Return [(value, design)] of every value of the field; of none, the design itself."""
    if (name is None) != (values is None):
        raise DesignError("transfer takes a field together with its values, or neither")
    if name is None:
        return [(None, design)]
    place = Place.find(design, name)
    found = [(value, design_with(design, {place: value})) for value in values]
    if not found:
        raise DesignError(f"values of '{name}': none given")
    return found


@dataclass
class _Three:
    """The same chips in three ways: loaded, loaded and taught, taught from the start."""

    design: object
    task: object
    seed: int
    given: list
    training: dict

    def at(self, count, told):
        """Return the outcomes of the three, each judged as the chips then are."""
        works, chips = [], len(self.given)

        def load(chip):
            chip.load(self.given[chip.seed - self.seed])
            works.append(judged(chip, self.task))

        tuned = self._taught(count.told(f"{told}loaded, then learned"), before=load)
        learned = self._taught(count.told(f"{told}learned"))
        return Outcomes.joined(works[:chips]), tuned, learned

    def _taught(self, progress, before=None):
        """Return the outcomes of chips that were trained: which work in the end."""
        left = []
        bench = Bench(
            self.design, self.task, self.seed, before=before,
            after=lambda chip: left.append(judged(chip, self.task)), **self.training,
        )  # fmt: skip
        trained = bench.go_to(len(self.given), progress)
        works = Outcomes.joined(left).learned
        return replace(trained, updates=np.where(works, np.maximum(trained.updates, 0), -1))


def _point(value, design, task, confidence, loaded, tuned, learned):
    """Return the point of three outcomes."""
    yields = (Yield.of(part, design, task, confidence) for part in (loaded, tuned, learned))
    return TransferPoint(value, *yields, pairing(loaded, learned, confidence))


def judged(chip, task):
    """Return the outcome of a chip as it is: whether it meets the task's criterion at once."""
    threshold = task.criterion.threshold(task, chip.design.network.code.size)
    output, targets = chip.reconstruct(task.test), task.targets(task.test)
    error, worst = squared_error(targets, output), unit_error(targets, output)
    if task.criterion.metric == "unit_error":
        works = unit_error(task.targets(task.train), chip.reconstruct(task.train)) < threshold
    else:
        works = error < threshold
    return Outcomes(
        np.array([chip.seed], np.uint64), np.array([0 if works else -1], np.int64),
        np.array([works]), np.array([not np.isfinite(output).all()]),
        np.array([error]), np.array([worst]),
    )  # fmt: skip


class _Count:
    """Tells progress over several benches of as many chips each."""

    def __init__(self, progress, chips, benches):
        self.progress, self.chips, self.total, self.before = progress, chips, chips * benches, 0

    def told(self, text):
        """Return the callback of the next bench."""
        start, self.before = self.before, self.before + self.chips
        if self.progress is None:
            return None
        return lambda done: self.progress(start + done, self.total, text)
