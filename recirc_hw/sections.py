"""A design's three sections, network, rule and substrate, as a TOML text has them."""

import tomllib

import tomli_w

from recirc_hw.errors import DesignError, nearest
from recirc_hw.networks import NETWORKS
from recirc_hw.rules import RULES
from recirc_hw.substrates import SUBSTRATES, Ideal

SECTIONS = {"network": NETWORKS, "rule": RULES, "substrate": SUBSTRATES}


def written(sections):
    """Return nested dicts of plain values, by section, as a TOML text."""
    tables = (
        "\n".join([f"[{section}]", *map(toml_line, fields.items())])
        for section, fields in sections.items()
    )
    return "\n\n".join(tables) + "\n"


def toml_line(field):
    """Return a (name, value) pair of a design as one line of TOML."""
    name, value = field
    return f"{name} = {_toml_value(value)}"


def _toml_value(value):
    """Return a value as TOML writes it, arrays on one line."""
    if isinstance(value, tuple):
        return "[" + ", ".join(map(_toml_value, value)) + "]"
    if isinstance(value, dict):
        return "{ " + ", ".join(map(toml_line, value.items())) + " }"
    return tomli_w.dumps({"": value}).partition("= ")[2].strip()


def read(text):
    """Return the tables of a TOML text; `DesignError` where it is none."""
    if not isinstance(text, str):
        raise DesignError(f"not a text: {text!r}")
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise DesignError(f"not valid TOML: {error}") from None


def parts_of(tables):
    """Return {section: network, rule or substrate} of nested dicts of plain values.

    Raises
    ------
    DesignError
        Naming the field, what was given and what is allowed.
    """
    unknown = set(tables) - set(SECTIONS)
    if unknown:
        name = sorted(unknown)[0]
        raise DesignError(
            f"unknown section [{name}]{nearest(name, SECTIONS)}; "
            f"sections are {', '.join(SECTIONS)}"
        )
    return {name: _part(name, tables.get(name)) for name in SECTIONS}


def _part(name, table):
    """Return the network, rule or substrate that one table of a design file describes."""
    kinds = SECTIONS[name]
    if table is None and name == "substrate":
        return Ideal()
    if not isinstance(table, dict):
        raise DesignError(f"section [{name}] is missing")
    fields = dict(table)
    kind = fields.pop("type", None)
    if not isinstance(kind, str) or kind not in kinds:
        raise DesignError(
            f"{name}.type = {kind!r}{nearest(kind, kinds)}; allowed are {', '.join(kinds)}"
        )
    return kinds[kind](**fields)
