"""Designs: a network, a rule and a substrate."""

from functools import cached_property
from pathlib import Path

from recirc_hw.chips import Chip
from recirc_hw.errors import DesignError, UnsupportedError, nearest, warn
from recirc_hw.programs import Phases
from recirc_hw.rules import RULES, CustomRule, FirstPass, Rule
from recirc_hw.sections import SECTIONS, parts_of, read, written
from recirc_hw.substrates import Ideal
from recirc_hw.training.plan import whole


class Design:
    """A network, the rule it learns by, and what it is made of; nothing random.

    Parameters
    ----------
    network : a network, e.g. `Loop(4, 2)`
    rule : a rule, e.g. `Recirculation()`, or a function of the user's own
        that emits operations (see `CustomRule`)
    substrate : a substrate, `Ideal()` where none is given

    Raises
    ------
    DesignError
        If a part is of the wrong kind, or the rule or the substrate does not fit the
        network; the message says where.
    """

    def __init__(self, network, rule, substrate=None):
        self.network = network
        own = callable(rule) and not isinstance(rule, Rule | type)
        self.rule = CustomRule(rule) if own else rule
        self.substrate = Ideal() if substrate is None else substrate
        for section, kinds in SECTIONS.items():
            allowed = (*kinds.values(), CustomRule)
            part = getattr(self, section)
            if not isinstance(part, allowed) or (
                isinstance(part, CustomRule) and section != "rule"
            ):
                names = ", ".join(kind.__name__ for kind in kinds.values())
                raise DesignError(f"{section} = {part!r}: want one of {names}")
        self.lowered()  # a rule or a substrate that does not fit is refused here
        for caution in self.substrate.cautions(self.rule, self.network):
            warn(caution)

    def __repr__(self):
        return f"Design({self.network!r}, {self.rule!r}, {self.substrate!r})"

    def __eq__(self, other):
        return isinstance(other, Design) and self.sections() == other.sections()

    def __hash__(self):
        return hash((self.network, self.rule, self.substrate))

    @cached_property
    def program(self):
        """What a chip executes for one case, and the writes after each batch."""
        return self.rule.compile(self.network)

    @cached_property
    def inference(self):
        """The first pass alone."""
        return FirstPass().compile(self.network)

    def lowered(self, batch_size=1):
        """Return the program as the substrate runs it, for batches of at most that size.

        Returns
        -------
        Program; IntegerProgram on a fixed-point substrate, Phases on a continuous one

        Raises
        ------
        DesignError
            If the substrate cannot hold a signal of the program.
        """
        batch_size = whole("batch_size", batch_size)
        return self.substrate.lower(self.rule, self.network, batch_size)

    @cached_property
    def lowered_inference(self):
        """The first pass alone, as the substrate runs it."""
        return self.substrate.lower(FirstPass(), self.network)

    @property
    def is_clocked(self):
        """Whether its chips execute a program; else they live in continuous time."""
        return not isinstance(self.lowered(), Phases)

    def widths(self, batch_size=1):
        """Return the bounds and width of every signal, for batches of that size.

        Returns
        -------
        Widths; `print` shows the table, `widths["sum into hidden"].bits` is one width

        Raises
        ------
        UnsupportedError
            If the substrate is not a fixed-point one.
        """
        if not hasattr(self.substrate, "widths"):
            raise UnsupportedError(
                f"{type(self.substrate).__name__} has no widths: only FixedPoint states them"
            )
        batch_size = whole("batch_size", batch_size)
        return self.substrate.widths(self.rule, self.network, batch_size)

    def sections(self):
        """Return the design as nested dicts of plain values, as a TOML file holds it."""
        dumps = {name: getattr(self, name).model_dump(exclude_none=True) for name in SECTIONS}
        first = {name: {"type": fields.get("type", "custom")} for name, fields in dumps.items()}
        return {name: first[name] | fields for name, fields in dumps.items()}

    def fabricate(self, seed):
        """Return the chip that `seed` stands for, its initial weights drawn.

        Parameters
        ----------
        seed : int, in 0..2**64-1

        Returns
        -------
        Chip

        Raises
        ------
        TypeError, ValueError
            If the seed is no whole number, or outside its range.
        """
        return Chip(self, seed)

    def replace(self, field, value):
        """Return a copy with one field changed, named as "substrate.precision".

        Parameters
        ----------
        field : str
            "section.field", with a section "network", "rule" or "substrate".
        value : what that field takes

        Returns
        -------
        Design; this one is not changed.

        Raises
        ------
        DesignError
            If there is no such field, with the nearest name, or the value is not allowed.
        """
        section, _, name = str(field).partition(".")
        if section not in SECTIONS or not name:
            raise DesignError(
                f"field '{field}': want section.field with a section of "
                f"{', '.join(SECTIONS)}{nearest(section, SECTIONS)}"
            )
        parts = {part: getattr(self, part) for part in SECTIONS}
        parts[section] = parts[section].replace(**{name: value})
        return Design(**parts)

    def with_rule(self, name):
        """Return the design with another rule's defaults, at its own rates and write policy."""
        if name not in RULES:
            raise DesignError(
                f"rule '{name}' is unknown{nearest(name, RULES)}; known are {', '.join(RULES)}"
            )
        kept = {field: getattr(self.rule, field) for field in Rule.model_fields}
        return Design(self.network, RULES[name](**kept), self.substrate)

    def to_toml(self):
        """Return the design as the text of a TOML file, which `from_toml` reads.

        Raises
        ------
        DesignError
            If the rule is a function of the user's own, which no file holds.
        """
        if isinstance(self.rule, CustomRule):
            raise DesignError(
                f"rule '{self.rule.name}' is a function of your own: a design file holds "
                "only the built-in rules"
            )
        return written(self.sections())

    @classmethod
    def from_toml(cls, text, source="design"):
        """Return the design that a TOML text describes.

        Parameters
        ----------
        text : str
        source : str
            How errors name the text, such as the path of its file.

        Raises
        ------
        DesignError
            Naming the file, the field, what was given and what is allowed.
        """
        try:
            tables = read(text)
        except DesignError as error:
            raise DesignError(f"{source}: {error}") from None
        return cls.from_sections(tables, source)

    @classmethod
    def from_sections(cls, tables, source="design"):
        """Return the design that nested dicts describe, as `sections` returns them.

        Raises
        ------
        DesignError
            Naming `source`, the field, what was given and what is allowed.
        """
        try:
            return cls(**parts_of(tables))
        except DesignError as error:
            raise DesignError(f"{source}: {error}") from None

    @classmethod
    def load(cls, path):
        """Return the design that a TOML file describes.

        Parameters
        ----------
        path : str or path

        Returns
        -------
        Design

        Raises
        ------
        DesignError
            If the file cannot be read, or what it holds is no design: naming the file,
            the field, what was given and what is allowed.
        """
        path = Path(path)
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "not a text file"
            raise DesignError(f"cannot read design file '{path}': {reason}") from None
        return cls.from_toml(text, str(path))
