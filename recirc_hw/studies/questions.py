"""The questions of `study`, each put to one chip: what it asks, and its answer in words."""

from dataclasses import dataclass

from recirc_hw.errors import DesignError
from recirc_hw.ledger import Cost, cost
from recirc_hw.ledger.tables import energy
from recirc_hw.studies.ablation import ablate
from recirc_hw.studies.answers import InapplicableError, Question
from recirc_hw.studies.curve import Frontier, Limit, short
from recirc_hw.studies.learning_yield import learning_yield
from recirc_hw.studies.limit import find_limit
from recirc_hw.studies.transfer import transfer
from recirc_hw.studies.vary import Place, design_with

MISMATCH = "substrate.*_mismatch"
STRENGTHS = (0.0, 0.05, 0.1, 0.2, 0.3, 0.4)  # of mismatch, at which weights are loaded
LARGEST = 2.0  # mismatch that the limit is sought up to
FINE = 0.07  # of that range: how closely
WIDTH = 0.1  # of the yield's interval, at most
BITS = ("substrate.weight_bits", "substrate.weight_fraction_bits")
DEVICE_BITS = "substrate.device.bits"


def between(interval, scale=1.0, unit=""):
    """Return an interval in words."""
    low, high = ("?" if end is None else f"{scale * end:.3g}" for end in interval)
    return f"{low} to {high}{unit}"


# -- does it learn ---------------------------------------------------------------------


def _yield(asked):
    """Ask on what share of chips it learns."""
    found = asked.ask(learning_yield, chips=2 * asked.chips, width=WIDTH, decide=asked.at_least)
    sure = {"above": "yes", "below": "no", None: "undecided"}[found.verdict]
    range_ = between(found.interval, 100, " %")
    text = (
        f"{found.learned} of {found.chips} chips learn {found.task} ({_sure(found)} "
        f"{range_}); that at least {asked.percent} do: {sure}. "
        f"On {100 * found.held_share:.3g} % it still held at every later check."
    )
    if found.updates["median"] is not None:
        text += f" It takes {found.updates['median']:,.0f} weight updates (median)."
    return f"{100 * found.share:.3g} % ({range_})", text, found


def _sure(found):
    return f"{100 * found.confidence:g} % interval"


# -- where it breaks -------------------------------------------------------------------


def _weight_bits(asked):
    """Ask how few bits the weights may have."""
    substrate = asked.design.substrate
    if hasattr(substrate, "weight_bits"):
        return _fixed_point_bits(asked, substrate)
    device = getattr(substrate, "device", None)
    if not hasattr(device, "bits"):
        what = f"with device '{device.type}' are" if device is not None else "are"
        raise InapplicableError(
            f"the weights of {type(substrate).__name__} chips {what} not codes of some bits"
        )
    found = asked.ask(find_limit, DEVICE_BITS, stop=2, at_least=asked.at_least)
    return _limit_words(asked, found, "weights of {} bits")


def _fixed_point_bits(asked, substrate):
    """Ask for the fewest bits over all ways to split them."""
    count = len(asked.design.network.matrices)
    formats = [substrate.weight_format(k)[:2] for k in range(count)]
    bits, fraction = (max(values) for values in zip(*formats, strict=True))
    last = max(0, fraction - bits + 2)  # as many integer bits, in a weight of two bits
    if last >= fraction:
        found = asked.ask(find_limit, BITS[0], start=bits, stop=2, at_least=asked.at_least)
        return _limit_words(asked, found, "weights of {} bits")
    options = dict(asked.options)
    options["confidence"] = 1 - (1 - options["confidence"]) / (fraction - last + 1)
    found = find_limit(
        asked.design, BITS, asked.task, start=(bits, fraction), stop=(2, last),
        at_least=asked.at_least, chips=asked.chips, progress=asked.progress, **options,
    )  # fmt: skip
    return _frontier_words(asked, found)


def best_of(frontier):
    """Return (value of the other field, limit) of a frontier's lowest limit, or None."""
    held = [
        (limit.value, other, limit)
        for other, limit in zip(frontier.across, frontier.limits, strict=False)
        if limit is not None and limit.value is not None
    ]
    if not held:
        return None
    _, other, limit = min(held, key=lambda one: (one[0], -one[2].curve[0].value, one[1]))
    return other, limit


def _frontier_words(asked, found):
    """Return the words for the fewest bits over all fractions."""
    best = best_of(found)
    if best is None:
        return "none", f"No number of weight bits lets {asked.percent} of chips learn.", found
    fraction, limit = best
    range_ = between(_frontier_range(found))
    brief = f"{limit.value} bits ({range_})"
    text = (
        f"At least {asked.percent} of chips learn with weights of {limit.value} bits, "
        f"{fraction:g} of them fraction ({100 * asked.options['confidence']:g} % interval "
        f"{range_}); {found.chips_used} chips at {len(found.across)} fractions."
    )
    if asked.design.substrate.rounding == "carry":
        text += " What carry keeps beside each weight while it learns is not among these bits."
    return brief, " ".join((text, *_notes(limit))), found


def _frontier_range(found):
    """Return (low, high) of the fewest bits over all fractions; None where unknown.

    It is no more than what some fraction surely needs, and no less than what each may:
    of a fraction at which nothing surely fails, that is unknown.
    """
    holds = [one.interval[0] for one in found.limits if one and one.interval[0] is not None]
    fails = [one.interval[1] if one else None for one in found.limits]
    return (None if None in fails else min(fails)), min(holds, default=None)


def _mismatch(asked):
    """Ask how far all mismatches may go together."""
    try:
        Place.find(asked.design, MISMATCH)
    except DesignError:
        kind = type(asked.design.substrate).__name__
        raise InapplicableError(
            f"{kind} chips have no mismatch: they differ only in their initial weights"
        ) from None
    found = asked.ask(
        find_limit, MISMATCH, start=0.0, stop=LARGEST, at_least=asked.at_least, resolution=FINE
    )
    return _limit_words(asked, found, "a mismatch of {} of everything")


def _limit_words(asked, found, words):
    """Return the words for a limit; `words` say it, with {} for the value."""
    if found.value is None:
        return (
            "none",
            " ".join((f"Fewer than {asked.percent} of chips learn.", *_notes(found))),
            found,
        )
    value = short(found.value)
    range_ = between(found.interval[:: 1 if found.stop > found.start else -1])
    text = (
        f"At least {asked.percent} of chips learn with {words.format(value)} "
        f"({_sure(found)} {range_}); {found.chips_used} chips."
    )
    return f"{value} ({range_})", " ".join((text, *_notes(found))), found


def _notes(limit):
    """Yield as sentences what must be known of a limit, besides its single values."""
    for note in limit.notes:
        if " is undecided after " not in note and not note.startswith("no chip can be built"):
            yield f"{note[0].upper()}{note[1:]}."


# -- what is to blame ------------------------------------------------------------------


def _blame(asked):
    """Ask which effect is to blame, where the chip breaks."""
    where, design = _broken(asked)
    found = asked.ask(ablate, design=design, pairs=False, chips=max(1, asked.chips * 3 // 10))
    share = 100 * found.everything.share
    doubt = _too_few(found, asked.options["confidence"])
    blamed = f"No effect surely does harm{doubt}."
    if found.to_blame is not None:
        sure = [effect for effect in found.ranked if effect.severity[0] > 0]
        worst = "; ".join(map(_cost_words, sure or found.ranked[:1]))
        blamed = f"To blame: {found.to_blame}. {worst[0].upper()}{worst[1:]}."
    text = (
        f"{where} {share:.3g} % of {found.everything.chips} chips learn and "
        f"{100 * found.nothing.share:.3g} % without all effects. {blamed}"
    )
    return found.to_blame or "none surely", text, found


def _too_few(found, confidence):
    """Return what to add where so few chips could not have shown an effect's harm at all.

    All of them lost by one effect has p = 2 / 2^n; alone or left out doubles it, and Holm's
    correction multiplies it by the number of effects.
    """
    least = 4 * len(found.ranked) * 0.5**found.everything.chips
    return "" if least <= 1 - confidence else ", and so few chips could not show it"


def _cost_words(effect):
    """Return what an effect costs, in words."""
    p = effect.p_learned if effect.severity[0] > 0 else effect.p_updates
    return (
        f"with all but {effect.name} {100 * effect.without.share:.3g} % learn, with it alone "
        f"{100 * effect.alone.share:.3g} % (p = {p:.2g})"
    )


def _broken(asked):
    """Return (where, the design there): the first value beyond a limit that fails.

    That is the design itself, where it does not learn or no limit was found.
    """
    own = asked.results.get("yield")
    if own is None or own.verdict != "below":
        for name in ("mismatch", "weight_bits"):
            found = asked.results.get(name)
            places = {}
            if isinstance(found, Frontier) and (best := best_of(found)):
                places, found = {Place.find(asked.design, found.names[1]): best[0]}, best[1]
            failing = _beyond(found) if isinstance(found, Limit) else None
            if failing is not None:
                places[Place.find(asked.design, found.name)] = failing
                told = {MISMATCH: "mismatch"}.get(found.name, found.name.split(".")[-1])
                where = f"At {told} {short(failing)}, just beyond the limit,"
                return where, design_with(asked.design, places)
    return "As designed", asked.design


def _beyond(limit):
    """Return the first value after a limit at which chips were built and too few learned."""
    for point in limit.curve:
        if not point.passes and point.found is not None:
            return point.value
    return None


# -- what it costs ---------------------------------------------------------------------


@dataclass(frozen=True)
class Rivals:
    """The same chip by its own rule and by another: what each costs."""

    own: Cost
    other: Cost
    task: str

    def summary(self):
        """Return both costs as JSON takes them."""
        return {"own": self.own.record(), "other": self.other.record(), "task": self.task}

    def plot(self):
        """Return a Matplotlib figure: energy of an inference and of the learning."""
        from recirc_hw.reports.answer_figures import rivals_figure

        return rivals_figure(self)


def _energy(asked):
    """Ask what a learned example costs, against backprop."""
    if asked.design.rule.type == "backprop":
        raise InapplicableError("it learns by backprop itself")
    own = cost(asked.design, asked.task)
    other = cost(asked.design.with_rule("backprop"), asked.task)
    ours, theirs = (one.energy_pj["learned_example"] for one in (own, other))
    more = "more" if ours >= theirs else "less"
    reads, words = (
        [getattr(one.counts.memory, name) for one in (own, other)]
        for name in ("transposed_reads", "state_words")
    )
    text = (
        f"{energy(ours)} a learned example, {abs(100 * (ours / theirs - 1)):.2g} % {more} than "
        f"backprop on the same chip ({energy(theirs)}); an inference takes "
        f"{energy(own.energy_pj['inference'])}. It reads {reads[0]:,.0f} weights an example "
        f"backwards, backprop {reads[1]:,.0f}, and keeps {words[0]} words of state, backprop "
        f"{words[1]}. Counts are exact for chip 0; prices ({own.prices.name}) are rough: "
        f"{own.prices.uncertainty}."
    )
    brief = f"{energy(ours)}; backprop {energy(theirs)}"
    return brief, text, Rivals(own, other, asked.task.name)


# -- is learning on the chip worth it --------------------------------------------------


def _loading(asked):
    """Ask whether learning on the chip beats loading an ideal chip's weights."""
    varied, at = {}, None
    try:
        at = Place.find(asked.design, MISMATCH).value(asked.design)
        at = max(at) if isinstance(at, tuple) else at
        values = sorted({*STRENGTHS, at})
        varied = {"field": MISMATCH, "values": values}
    except DesignError:
        pass  # without mismatch it is compared as it is
    found = asked.ask(transfer, chips=max(1, asked.chips // 2), **varied)
    at = at or (found.points[-1].value if varied else None)
    done = [point for point in found.points if point.value == at] or found.points[-1:]
    return *_loading_words(done[0], found), found


def _loading_words(point, found):
    """Return the words for a comparison, at one point of it."""
    loaded, learned, tuned = point.loaded, point.learned, point.tuned
    where = "" if point.value is None else f"At mismatch {point.value:g} of everything "
    text = (
        f"{where}an ideal chip's weights work on {loaded.learned} of {loaded.chips} chips "
        f"({_sure(loaded)} {between(loaded.interval, 100, ' %')}); learning on the chip works "
        f"on {learned.learned} ({between(learned.interval, 100, ' %')}), learning on from the "
        f"loaded weights on {tuned.learned}. "
    )
    if point.gained.p_learned < 1 - found.confidence:
        better = "Learning on the chip" if point.gained.share > 0 else "Loading"
        text += f"{better} works on more chips (p = {point.gained.p_learned:.2g})."
    else:
        text += f"The difference may be chance (p = {point.gained.p_learned:.2g})."
    text = text[0].upper() + text[1:]
    brief = f"loaded {loaded.learned}, learned {learned.learned} of {learned.chips} chips work"
    return brief, text


QUESTIONS = (
    Question("yield", "Does it learn?", _yield),
    Question("weight_bits", "How few weight bits will do?", _weight_bits),
    Question("mismatch", "How much mismatch will do?", _mismatch),
    Question("blame", "Which effect is to blame where it breaks?", _blame),
    Question("energy", "What does a learned example cost?", _energy),
    Question("loading", "Does learning on the chip beat loading weights?", _loading),
)
