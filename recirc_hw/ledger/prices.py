"""Price lists: what an event costs, from `prices.toml` or a file of the user's own."""

import math
import tomllib
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from recirc_hw.errors import DesignError, PriceError, nearest
from recirc_hw.fields import Fields
from recirc_hw.ledger.counts import EVENTS, UNPRICED

PICOJOULES = {"fJ": 1e-3, "pJ": 1.0, "nJ": 1e3, "uJ": 1e6}
Positive = Annotated[float, Field(gt=0)]
Width = Annotated[int, Field(gt=0)]


class Price(Fields):
    """What one event of a kind costs.

    Parameters
    ----------
    events : names of events, see `counts.EVENTS`
    value : float, in `unit`; the same for `low` and `high`, where they are known
    unit : "fJ", "pJ", "nJ" or "uJ"
    kind : "measured", "simulated" or "assumed"
    source, node : str, None for the list's
    bits : the width of the word or factors that it is for; None: of any
    format : "int" or "float"; None: either
    capacity_bits : the largest memory that it is for; None: any
    note : str
    """

    events: Annotated[tuple[str, ...], Field(min_length=1)]
    value: Positive
    unit: Literal["fJ", "pJ", "nJ", "uJ"]
    kind: Literal["measured", "simulated", "assumed"]
    low: Positive | None = None
    high: Positive | None = None
    source: str | None = None
    node: str | None = None
    bits: Width | None = None
    format: Literal["int", "float"] | None = None
    capacity_bits: Width | None = None
    note: str = ""

    @model_validator(mode="after")
    def _known_and_ordered(self):
        for event in self.events:
            _check_event(event)
        if not (self.low or self.value) <= self.value <= (self.high or self.value):
            raise ValueError(
                f"want low <= value <= high, got {self.low}, {self.value}, {self.high}"
            )
        return self


@dataclass(frozen=True)
class Priced:
    """What one event costs, in pJ, and how well that is known."""

    pj: float
    low: float
    high: float
    kind: str
    how: str  # what was done to the list's figure; empty: nothing

    def __add__(self, other):
        kind = max(self.kind, other.kind, key=KINDS.index)
        how = "; ".join(dict.fromkeys(filter(None, (self.how, other.how))))
        return Priced(
            self.pj + other.pj, self.low + other.low, self.high + other.high, kind, how
        )


KINDS = ("measured", "simulated", "assumed")
"""How well a price is known, best first."""


class PriceList(Fields):
    """A named list of prices; see the head of `prices.toml`."""

    name: str
    title: str
    source: Annotated[str, Field(min_length=1)]
    node: Annotated[str, Field(min_length=1)]
    uncertainty: Annotated[str, Field(min_length=1)]
    within_factor: Annotated[float, Field(ge=1)]
    between_memories: Literal["step", "power"] = "step"
    scaling: dict[str, Literal["width", "product"]] = {}
    included: dict[str, str] = {}
    price: Annotated[tuple[Price, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _known_events(self):
        for event in (*self.scaling, *self.included):
            _check_event(event)
        return self

    @property
    def events(self):
        """The names of the events that have a price, in their order."""
        return [event for event in EVENTS if any(event in p.events for p in self.price)]

    def refuse_missing(self, wanted):
        """Refuse names of events that have no price here, all of them at once."""
        known = {*self.events, *self.included, *UNPRICED}
        if known >= {"multiplies", "accumulates"}:
            known.add("multiply_accumulates")
        unknown = set(wanted) - known
        missing = [name for name in EVENTS if name in unknown]
        if missing:
            raise PriceError(self._missing(", ".join(missing)))

    def of(self, event, capacity=0):
        """Return what one event costs; the memory that it concerns holds `capacity` bits.

        A multiply-accumulate without a price of its own is a product and a sum.

        Raises
        ------
        PriceError
            Naming the event that the list has no price for.
        """
        if event.name != "multiply_accumulates":
            return self._of(event.name, event.bits, event.real, capacity)
        factors, total = event.bits[:2], event.bits[2:]
        if event.name in self.events:
            return self._of(event.name, factors, event.real, capacity)
        product = self._of("multiplies", factors, event.real, capacity)
        return product + self._of("accumulates", total, event.real, capacity)

    def _of(self, name, bits, real, capacity):
        """Return the price of one event in a memory of `capacity` bits."""
        form = "float" if real else "int"
        memories = defaultdict(list)
        for price in self.price:
            if name in price.events and price.format in (None, form):
                memories[price.capacity_bits or math.inf].append(price)
        upper = min((size for size in memories if size >= capacity), default=None)
        if upper is None:
            raise PriceError(self._missing(_described(name, bits, form, capacity)))
        found = self._for_width(memories[upper], name, bits, form)
        lower = max((size for size in memories if size < capacity), default=upper)
        if self.between_memories == "step" or math.inf in (lower, upper) or lower == upper:
            return found
        least = self._for_width(memories[lower], name, bits, form)
        return _between(least, found, math.log(capacity / lower, upper / lower))

    def _for_width(self, alike, name, bits, form):
        """Return the price of an event of some width, from those of one memory."""
        exact = [p for p in alike if p.bits is None or all(p.bits == n for n in bits)]
        if exact:
            return self._priced(exact[0], 1.0, exact[0].kind, "")
        if name not in self.scaling:
            raise PriceError(self._missing(_described(name, bits, form, 0)))
        return self._scaled(alike, bits, self.scaling[name])

    def _scaled(self, prices, bits, law):
        """Return the price of other widths, by the law that the list assumes."""
        size = math.prod(bits) if law == "product" else max(bits)
        power = len(bits) if law == "product" else 1
        near = min(prices, key=lambda p: abs(math.log(size / p.bits**power)))
        how = f"from {near.bits} bits by {'the product of widths' if law == 'product' else law}"
        return self._priced(near, size / near.bits**power, "assumed", how)

    def _priced(self, price, factor, kind, how):
        pj = PICOJOULES[price.unit] * factor
        low = price.low or price.value / self.within_factor
        high = price.high or price.value * self.within_factor
        return Priced(price.value * pj, low * pj, high * pj, kind, how)

    def _missing(self, what):
        """Return the message for a price that is not there."""
        return (
            f"prices '{self.name}' have no price for {what}; they have "
            f"{', '.join(self.events)}. Other lists are {', '.join(names())}, or your own file"
        )


def _between(least, most, place):
    """Return the price at a place, 0..1, on the line between two prices' logarithms."""
    if place == 1:
        return most
    mixed = (
        getattr(least, field) ** (1 - place) * getattr(most, field) ** place
        for field in ("pj", "low", "high")
    )
    how = "between two memories" + (f"; {most.how}" if most.how else "")
    return Priced(*mixed, "assumed", how)


def _described(name, bits, form, capacity):
    """Return an event in words: "reads of 8 bits (int) in a memory of 1408 bits"."""
    width = " x ".join(map(str, bits))
    what = f"{name}{f' of {width} bits ({form})' if bits else ''}"
    return what + (f" in a memory of {capacity} bits" if capacity else "")


def names():
    """Return the names of the lists that come with the package."""
    return tuple(_shipped())


def price_list(which):
    """Return the list of a name, or of a TOML file, as FILE or FILE:NAME.

    Raises
    ------
    PriceError
        Naming the file, the list, the field, what was given and what is allowed.
    """
    if isinstance(which, PriceList):
        return which
    if which in _shipped():
        return _made(which, _shipped()[which], "prices.toml")
    path, name = _file_and_name(str(which))
    if path is None:
        raise PriceError(
            f"prices = {which!r}{nearest(which, names())}; allowed are {', '.join(names())}, "
            "or a TOML file"
        )
    lists = _read(path)
    if name is None and len(lists) != 1:
        raise PriceError(
            f"'{path}' holds {len(lists)} price lists ({', '.join(lists)}); "
            f"name one: {path}:NAME"
        )
    name = name or next(iter(lists))
    if name not in lists:
        raise PriceError(f"'{path}' has no price list '{name}'{nearest(name, lists)}")
    return _made(name, lists[name], str(path))


@cache
def _shipped():
    """Return the tables of the package's own lists."""
    text = files("recirc_hw.ledger").joinpath("prices.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def _file_and_name(which):
    """Return (path, name or None) of FILE or FILE:NAME; (None, None) where it is no file."""
    if Path(which).is_file():
        return Path(which), None
    path, _, name = which.rpartition(":")
    if path and Path(path).is_file():
        return Path(path), name
    return (Path(which), None) if which.endswith(".toml") else (None, None)


def _read(path):
    """Return the tables of a user's price file."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not a text file"
        raise PriceError(f"cannot read price file '{path}': {reason}") from None
    except tomllib.TOMLDecodeError as error:
        raise PriceError(f"{path}: not valid TOML: {error}") from None


def _made(name, table, where):
    """Return the price list that a table describes."""
    if not isinstance(table, dict):
        raise PriceError(f"{where}: '{name}' is no price list; want a table [{name}]")
    given = table.get("price", [])
    if not isinstance(given, list):
        raise PriceError(f"{where}: {name}.price: want tables [[{name}.price]]")
    try:
        prices = tuple(Price(**_numbers(price)) for price in given)
        return PriceList(**{**_numbers(table), "name": name, "price": prices})
    except (DesignError, TypeError) as error:
        raise PriceError(f"{where}, list '{name}': {error}") from None


def _numbers(table):
    """Return a table with floats where people write a whole number for one."""
    real = ("value", "low", "high", "within_factor")
    return {
        key: float(value) if key in real and isinstance(value, int) else value
        for key, value in table.items()
    }


def _check_event(name):
    """Refuse the name of an event that nothing counts, or nobody prices."""
    if name not in EVENTS or name in UNPRICED:
        allowed = [event for event in EVENTS if event not in UNPRICED]
        raise ValueError(
            f"event '{name}' is unknown{nearest(name, allowed)}; known are {', '.join(allowed)}"
        )
