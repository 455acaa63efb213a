"""Ablation: which hardware effect keeps the same chips from learning."""

from dataclasses import dataclass, field
from itertools import combinations

from recirc_hw.designs import Design
from recirc_hw.errors import UnsupportedError
from recirc_hw.studies.learning_yield import Yield, learning_yield
from recirc_hw.studies.remote import crew_of
from recirc_hw.studies.statistics import Pairing, holm, pairing

SURE = 0.05  # an effect is to blame where chance would do the same less often


@dataclass(frozen=True)
class Effect:
    """What one effect does to the same chips, alone and among the others.

    `lost` compares chips that have this effect alone with chips that have none;
    `gained` compares chips that have all but this with chips that have all.
    """

    name: str
    alone: Yield
    without: Yield
    lost: Pairing
    gained: Pairing
    p_learned: float = 1.0  # of the two comparisons together, corrected for all effects
    p_updates: float = 1.0

    @property
    def blame(self):
        """Share of chips it costs, the mean of what it costs alone and last of all."""
        return (self.gained.share - self.lost.share) / 2

    @property
    def slowdown(self):
        """Factor on the updates that it costs, the mean of both likewise; None unknown."""
        if self.lost.ratio is None or self.gained.ratio is None:
            return None
        return (self.lost.ratio / self.gained.ratio) ** 0.5

    @property
    def severity(self):
        """What effects are ranked by: chips lost first, then time, where they are sure."""
        slow = self.slowdown if self.slowdown is not None else 1.0
        return (
            self.blame if self.p_learned < SURE else 0.0,
            slow if self.p_updates < SURE else 1.0,
            self.blame,
            slow,
        )

    def summary(self):
        """Return the effect as JSON takes it."""
        names = ("name", "blame", "slowdown", "p_learned", "p_updates")
        record = {name: getattr(self, name) for name in names}
        return record | {
            "alone": self.alone.summary(), "without": self.without.summary(),
            "lost": vars(self.lost), "gained": vars(self.gained),
        }  # fmt: skip


@dataclass(frozen=True)
class Pair:
    """Two effects together and no other.

    `excess` is the share of chips that they cost beyond the sum of what each costs alone.
    """

    names: tuple[str, str]
    together: Yield
    excess: float

    def summary(self):
        """Return the pair as JSON takes it."""
        record = {"names": self.names, "excess": self.excess}
        return record | {"together": self.together.summary()}


@dataclass(frozen=True)
class Ablation:
    """Which effect is to blame: `ranked` from the worst on."""

    everything: Yield  # the design as it is
    nothing: Yield  # all effects turned off
    ranked: tuple[Effect, ...]
    pairs: tuple[Pair, ...]
    interrupted: bool = False
    design: object = field(repr=False, default=None)

    @property
    def to_blame(self):
        """The name of the effect to blame, or None where none surely does harm."""
        if not self.ranked:
            return None
        lost, slow = self.ranked[0].severity[:2]
        return self.ranked[0].name if lost > 0 or slow > 1 else None

    def summary(self):
        """Return the ablation as JSON takes it."""
        return {
            "to_blame": self.to_blame,
            "everything": self.everything.summary(),
            "nothing": self.nothing.summary(),
            "effects": [effect.summary() for effect in self.ranked],
            "pairs": [pair.summary() for pair in self.pairs],
            "interrupted": self.interrupted,
        }

    def plot(self):
        """Return a Matplotlib figure: each effect alone, and left out."""
        from recirc_hw.reports.study_figures import ablation_figure

        return ablation_figure(self)


def ablate(
    design, task, *, chips=200, seed=0, pairs=True, confidence=0.95, scheduler=None,
    progress=None, **training,
):  # fmt: skip
    """Return which of a substrate's effects keeps chips from learning.

    The same chips (seed to seed + chips - 1) are trained with all effects, with none,
    with each alone, with each left out, and with every two of them. Whether they learned
    is compared by McNemar's exact test, their updates by the sign test, both corrected
    for the number of effects by Holm's method. Effects are ranked by the chips they
    cost, then by the time, counting only what is sure.

    Parameters
    ----------
    design : Design of any substrate that names its effects
    task : Task
    chips, seed, confidence, scheduler, progress, **training
        As `learning_yield` takes them.
    pairs : bool
        Whether to train every two effects together.

    Returns
    -------
    Ablation; after Ctrl-C of the effects that were done, marked `interrupted`.

    Raises
    ------
    UnsupportedError
        If the substrate has no effects to turn off.
    KeyboardInterrupt
        After Ctrl-C, where the design itself was not measured yet.
    """
    names = effect_names(design.substrate)
    options = {"chips": chips, "seed": seed, "confidence": confidence, **training}
    rows, together, interrupted = [], [], False
    with crew_of(scheduler) as crew:
        measured = _Measured(design, task, names, options | {"scheduler": crew}, progress)
        everything, nothing = measured.with_only(names), measured.with_only(())
        try:
            for name in names:
                others = tuple(other for other in names if other != name)
                rows.append((name, measured.with_only((name,)), measured.with_only(others)))
            for two in combinations(names, 2) if pairs else ():
                together.append((two, measured.with_only(two)))
        except KeyboardInterrupt:
            interrupted = True
    effects = _ranked(rows, everything, nothing, confidence)
    loss = {name: nothing.share - alone.share for name, alone, _ in rows}
    found = [
        Pair(two, part, nothing.share - part.share - loss[two[0]] - loss[two[1]])
        for two, part in together
    ]
    found.sort(key=lambda pair: -pair.excess)
    return Ablation(everything, nothing, effects, tuple(found), interrupted, design)


def effect_names(substrate):
    """Return the names of a substrate's effects, at least one."""
    names = tuple(substrate.effects()) if hasattr(substrate, "effects") else ()
    if not names:
        raise UnsupportedError(
            f"{type(substrate).__name__} chips have no hardware effects here: want a substrate "
            "with some, such as FixedPoint()"
        )
    return names


class _Measured:
    """Yields of one design with some of its effects, each measured once."""

    def __init__(self, design, task, names, options, progress):
        self.design, self.task, self.names = design, task, names
        self.options, self.progress, self.found = options, progress, {}

    def with_only(self, kept):
        """Return the yield of chips that have only these effects.

        Raises
        ------
        KeyboardInterrupt
            After Ctrl-C, for a comparison needs all the chips.
        """
        key = frozenset(kept)
        if key not in self.found:
            off = [name for name in self.names if name not in key]
            part = self.design.substrate.without(*off)
            design = Design(self.design.network, self.design.rule, part)
            found = learning_yield(
                design, self.task, progress=self._labelled(kept), **self.options
            )
            if found.interrupted:
                raise KeyboardInterrupt
            self.found[key] = found
        return self.found[key]

    def _labelled(self, kept):
        if self.progress is None:
            return None
        label = "all effects" if len(kept) == len(self.names) else " + ".join(kept) or "none"
        return lambda done, total, text: self.progress(done, total, f"{label}: {text}")


def _ranked(rows, everything, nothing, confidence):
    """Return the effects from the worst on, their p values corrected."""
    compared = [
        (
            name, alone, without,
            pairing(nothing.outcomes, alone.outcomes, confidence),
            pairing(everything.outcomes, without.outcomes, confidence),
        )
        for name, alone, without in rows
    ]  # fmt: skip
    p = {
        kind: holm([_either(getattr(row[3], kind), getattr(row[4], kind)) for row in compared])
        for kind in ("p_learned", "p_updates")
    }
    effects = [
        Effect(*row, p_learned=p["p_learned"][i], p_updates=p["p_updates"][i])
        for i, row in enumerate(compared)
    ]
    return tuple(sorted(effects, key=lambda effect: effect.severity, reverse=True))


def _either(first, second):
    """Return the p value of the smaller of two, for having looked at both."""
    return min(1.0, 2 * min(first, second))
