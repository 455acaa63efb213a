"""A design's fields by name: "substrate.weight_bits", "network.n_hidden[0]", "rule".

A name with a * stands for all the fields that it fits, which then move together:
"substrate.*_mismatch".
"""

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase

from recirc_hw.designs import Design
from recirc_hw.errors import DesignError, nearest
from recirc_hw.fields import Fields
from recirc_hw.sections import SECTIONS

_STEP = re.compile(r"(\w+)(?:\[(\d+)\])?")


@dataclass(frozen=True)
class Place:
    """A field of a design: its section, then the names and positions that lead to it."""

    name: str  # as the user wrote it
    section: str
    path: tuple[str | int, ...]
    others: tuple["Place", ...] = ()  # that take the same value

    @classmethod
    def find(cls, design, name):
        """Return the place that a name stands for, checked against a design.

        Raises
        ------
        DesignError
            Naming the nearest field, where there is none of this name.
        """
        if not isinstance(name, str):
            raise DesignError(f"field {name!r}: want text such as 'substrate.weight_bits'")
        section, *rest = name.split(".")
        if section not in SECTIONS:
            raise DesignError(
                f"field '{name}': want section.field with a section of "
                f"{', '.join(SECTIONS)}{nearest(section, SECTIONS)}"
            )
        if "*" in name:
            return cls._fitting(design, name, section, rest)
        path = []
        for step in rest:
            match = _STEP.fullmatch(step)
            if match is None:
                raise DesignError(f"field '{name}': '{step}' is no name of a field")
            path += [match[1], *([int(match[2])] if match[2] else [])]
        place = cls(name, section, tuple(path))
        place.value(design)
        return place

    @classmethod
    def _fitting(cls, design, name, section, rest):
        """Return the places of all fields of a section that a name with a * fits."""
        part = getattr(design, section)
        names = [field for field in type(part).model_fields if field != "type"]
        fitting = [field for field in names if len(rest) == 1 and fnmatchcase(field, rest[0])]
        if not fitting:
            raise DesignError(
                f"field '{name}' fits no field of {type(part).__name__}; it has "
                f"{', '.join(sorted(names))}"
            )
        first, *others = (cls(name, section, (field,)) for field in fitting)
        return cls(name, section, first.path, tuple(others))

    def value(self, design):
        """Return the field's value in a design; a whole section's is the section itself.

        Of several fields it is the one that they share, or a tuple of all of them.
        """
        part = getattr(design, self.section)
        for step in self.path:
            part = self._step(part, step)
        values = (part, *(other.value(design) for other in self.others))
        return part if all(value == part for value in values) else values

    def _step(self, part, step):
        """Return the field or the position `step` of a part of a design."""
        if isinstance(step, int):
            if not isinstance(part, tuple) or step >= len(part):
                raise DesignError(f"field '{self.name}': {part!r} has no position {step}")
            return part[step]
        names = sorted(type(part).model_fields) if isinstance(part, Fields) else ()
        if step not in names or step == "type":
            kind = type(part).__name__
            allowed = [name for name in names if name != "type"]
            raise DesignError(
                f"field '{self.name}': {kind} has no field '{step}'{nearest(step, allowed)}"
                + (f"; it has {', '.join(allowed)}" if allowed else "")
            )
        return getattr(part, step)

    def part(self, design, value):
        """Return the design's section with this field changed, checked like a new one."""
        if not self.path:
            return _section(self.name, value)
        return self._changed(getattr(design, self.section), self.path, value)

    def _changed(self, part, path, value):
        """Return a part of a design with what stands at the end of `path` replaced."""
        step, rest = path[0], path[1:]
        if rest:
            value = self._changed(self._step(part, step), rest, value)
        if isinstance(step, int):
            return (*part[:step], value, *part[step + 1 :])
        return part.replace(**{step: value})


def _section(name, table):
    """Return the section that a table with a `type` describes, or the section given."""
    kinds = SECTIONS[name]
    if isinstance(table, tuple(kinds.values())):
        return table
    if not isinstance(table, dict) or table.get("type") not in kinds:
        raise DesignError(
            f"field '{name}' = {table!r}: want a table with a type of {', '.join(kinds)}"
        )
    return kinds[table["type"]](**{key: v for key, v in table.items() if key != "type"})


def parts_with(design, values):
    """Return the sections of a design with fields changed, as a dict; nothing is built.

    Fields of one section are changed together, so that only the outcome must be valid.

    Parameters
    ----------
    values : dict of Place to value
    """
    parts = {name: getattr(design, name) for name in SECTIONS}
    values = {
        one: value for place, value in values.items() for one in (place, *place.others)
    }  # fmt: skip
    whole = sorted(values, key=lambda place: len(place.path))  # a whole section comes first
    for section in SECTIONS:
        here = [place for place in whole if place.section == section]
        for place in here[:]:
            if not place.path:
                parts[section] = place.part(design, values[place])
                here.remove(place)
        plain = {p.path[0]: values[p] for p in here if len(p.path) == 1}
        deep = [p for p in here if len(p.path) > 1]
        if plain:
            parts[section] = parts[section].replace(**plain)
        for place in deep:
            parts[section] = place._changed(parts[section], place.path, values[place])
    return parts


def design_with(design, values):
    """Return a design with fields changed, given as {Place: value}."""
    return Design(**parts_with(design, values))


def numeric_kind(place, design, start, stop):
    """Return int or float: what values a numeric field between two ends takes.

    Raises
    ------
    DesignError
        If the field takes no numbers.
    """
    value = place.value(design)
    if isinstance(value, bool | str):
        raise DesignError(f"field '{place.name}' = {value!r} is no number")
    parts = value if isinstance(value, tuple) else (value,)
    if any(isinstance(part, float) for part in parts):
        return float
    whole = all(isinstance(end, int) or float(end).is_integer() for end in (start, stop))
    if not whole:
        if isinstance(value, int):
            raise DesignError(
                f"field '{place.name}' takes whole numbers; given {start!r} and {stop!r}"
            )
        return float
    return int


def allowed_range(place, design):
    """Return the (least, largest) value that a field's declaration allows; None: no end."""
    ranges = [_declared_range(one, design) for one in (place, *place.others)]
    lows, highs = (
        [end for end in ends if end is not None] for ends in zip(*ranges, strict=True)
    )
    return max(lows, default=None), min(highs, default=None)


def _declared_range(place, design):
    """Return what `allowed_range` does, of one field."""
    part = getattr(design, place.section)
    names = [step for step in place.path if isinstance(step, str)]
    for step in place.path[: place.path.index(names[-1])]:
        part = place._step(part, step)
    info = type(part).model_fields[names[-1]]
    found = list(info.metadata) + list(_nested_metadata(info.annotation))
    ends = {}
    for name in ("ge", "gt", "le", "lt"):
        ends[name] = next((v for m in found if (v := getattr(m, name, None)) is not None), None)
    return (
        ends["ge"] if ends["ge"] is not None else ends["gt"],
        ends["le"] if ends["le"] is not None else ends["lt"],
    )


def _nested_metadata(annotation):
    """Yield the constraints inside unions and Annotated types, the outermost first."""
    for item in getattr(annotation, "__metadata__", ()):
        yield from getattr(item, "metadata", None) or [item]
    for inner in getattr(annotation, "__args__", ()):
        if inner is not Ellipsis:
            yield from _nested_metadata(inner)
    origin = getattr(annotation, "__origin__", None)
    if origin is not None and hasattr(annotation, "__metadata__"):
        yield from _nested_metadata(origin)
