"""Designs, and the chips fabricated from them."""

import tomllib
from functools import cached_property
from pathlib import Path

import numpy as np
import tomli_w

from recirc_hw.backends import FixedState, Job, Watch, backend
from recirc_hw.errors import DesignError, TaskError, UnsupportedError, nearest
from recirc_hw.networks import NETWORKS
from recirc_hw.programs import Builder, IntegerProgram
from recirc_hw.rules import RULES, CustomRule, Rule
from recirc_hw.substrates import SUBSTRATES, Ideal
from recirc_hw.training import train

SECTIONS = {"network": NETWORKS, "rule": RULES, "substrate": SUBSTRATES}


class Design:
    """A network, the rule it learns by, and what it is made of; nothing random.

    Parameters
    ----------
    network : a network, e.g. `Loop(4, 2)`
    rule : a rule, e.g. `Recirculation()`, or a function of the user's own
        that emits operations (see `CustomRule`)
    substrate : a substrate, `Ideal()` where none is given
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
        build = Builder(self.network)
        self.network.taught_pass(build)
        return build.program("inference")

    def lowered(self, batch_size=1):
        """Return the program as the substrate runs it, for batches of at most that size."""
        return self.substrate.lower(self.program, self.network, batch_size)

    @cached_property
    def lowered_inference(self):
        """The first pass alone, as the substrate runs it."""
        return self.substrate.lower(self.inference, self.network)

    def widths(self, batch_size=1):
        """Return the bounds and width of every signal, for batches of that size."""
        if not hasattr(self.substrate, "widths"):
            raise UnsupportedError(
                f"{type(self.substrate).__name__} has no widths: only FixedPoint states them"
            )
        return self.substrate.widths(self.program, self.network, batch_size)

    def sections(self):
        """Return the design as nested dicts of plain values, as a TOML file holds it."""
        dumps = {name: getattr(self, name).model_dump(exclude_none=True) for name in SECTIONS}
        first = {name: {"type": fields.get("type", "custom")} for name, fields in dumps.items()}
        return {name: first[name] | fields for name, fields in dumps.items()}

    def fabricate(self, seed):
        """Return the chip that `seed` stands for, its initial weights drawn."""
        return Chip(self, seed)

    def replace(self, field, value):
        """Return a copy with one field changed, named as "substrate.precision"."""
        section, _, name = field.partition(".")
        if section not in SECTIONS or not name:
            raise DesignError(
                f"field '{field}': want section.field with a section of "
                f"{', '.join(SECTIONS)}{nearest(section, SECTIONS)}"
            )
        parts = {part: getattr(self, part) for part in SECTIONS}
        parts[section] = parts[section].replace(**{name: value})
        return Design(**parts)

    def to_toml(self):
        """Return the design as the text of a TOML file."""
        if isinstance(self.rule, CustomRule):
            raise DesignError(
                f"rule '{self.rule.name}' is a function of your own: a design file holds "
                "only the built-in rules"
            )
        tables = (
            "\n".join([f"[{section}]", *map(toml_line, fields.items())])
            for section, fields in self.sections().items()
        )
        return "\n\n".join(tables) + "\n"

    @classmethod
    def from_toml(cls, text, source="design"):
        """Return the design that a TOML text describes.

        Raises
        ------
        DesignError
            Naming the file, the field, what was given and what is allowed.
        """
        try:
            tables = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise DesignError(f"{source}: not valid TOML: {error}") from None
        unknown = set(tables) - set(SECTIONS)
        if unknown:
            name = sorted(unknown)[0]
            raise DesignError(
                f"{source}: unknown section [{name}]{nearest(name, SECTIONS)}; "
                f"sections are {', '.join(SECTIONS)}"
            )
        try:
            return cls(**{name: _section(name, tables.get(name)) for name in SECTIONS})
        except DesignError as error:
            raise DesignError(f"{source}: {error}") from None

    @classmethod
    def load(cls, path):
        """Read a design file."""
        path = Path(path)
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "not a text file"
            raise DesignError(f"cannot read design file '{path}': {reason}") from None
        return cls.from_toml(text, str(path))


def _section(name, table):
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


def toml_line(field):
    """Return a (name, value) pair of a design as one line of TOML."""
    name, value = field
    return f"{name} = {_toml_value(value)}"


def _toml_value(value):
    """Return a value as TOML writes it, arrays on one line."""
    if isinstance(value, tuple):
        return "[" + ", ".join(map(_toml_value, value)) + "]"
    return tomli_w.dumps({"": value}).partition("= ")[2].strip()


class Chip:
    """One fabricated instance of a design: its own initial weights, from its seed."""

    def __init__(self, design, seed):
        if isinstance(seed, bool) or not isinstance(seed, int | np.integer):
            raise TypeError(f"seed must be a whole number, got {seed!r}")
        self.design, self.seed, self.updates = design, int(seed), 0
        self.steps = 0  # writes ever done, which name the rounding bits of the next
        self.program = design.lowered()  # in whose units the sums are
        stored = [
            design.substrate.store(design.network.initial(matrix, self.seed, step), matrix)
            for step, matrix in enumerate(self.program.layout.matrices)
        ]
        self.matrices, self.sums = (list(part) for part in zip(*stored, strict=True))

    def __repr__(self):
        return f"Chip(seed={self.seed}, updates={self.updates}, design={self.design!r})"

    @property
    def weights(self):
        """Copies of the network's weight matrices, shape (rows, cols + 1), bias last."""
        records = self.program.layout.matrices[: len(self.design.network.matrices)]
        return [
            self.design.substrate.read(codes, record)
            for codes, record in zip(self.matrices, records, strict=False)
        ]

    @weights.setter
    def weights(self, matrices):
        wanted = [matrix.shape for matrix in self.weights]
        given = [np.shape(matrix) for matrix in matrices]
        if given != wanted:
            raise ValueError(f"weights: want arrays of shapes {wanted}, got {given}")
        arrays = [np.array(matrix, np.float64) for matrix in matrices]
        if not all(np.isfinite(array).all() for array in arrays):
            raise ValueError("weights: NaN or infinite values")
        records = self.program.layout.matrices
        for array, record in zip(arrays, records, strict=False):
            self.design.substrate.check_range(array, record)
        if self.design.network.mirrors and not np.array_equal(
            arrays[0][:, :-1], arrays[1][:, :-1].T
        ):
            raise ValueError("weights: symmetric ones must be each other's transpose")
        for k, array in enumerate(arrays):
            self.matrices[k], self.sums[k] = self.design.substrate.store(array, records[k])

    def set_output_biases(self, values):
        """Give the units of the visible group these biases."""
        k = len(self.design.network.matrices) - 1
        weights = self.weights[k].astype(np.float64)
        weights[:, -1] = values
        codes, left = self.design.substrate.store(weights, self.program.layout.matrices[k])
        self.matrices[k][:, -1], self.sums[k][:, -1] = codes[:, -1], left[:, -1]

    def start_sums(self, program):
        """Return what the sums of each matrix start from in a training by `program`."""
        return self.design.substrate.start_sums(self.sums, self.program, program)

    def train(self, task, **options):
        """Train this chip, from the weights it has; return the `Run`. See `train`.

        Every training presents the cases in the same order, which the chip's seed
        sets: two trainings of one epoch are not one training of two.
        """
        return train([self], task, **options)[0]

    def reconstruct(self, cases, backend="native"):
        """Return what comes back after one pass round the loop, regression 0.

        Of a network that is given targets: its output.

        Parameters
        ----------
        cases : float array, shape (n_cases, case size) or (case size,)
            The targets at the end of a case may be left out.

        Returns
        -------
        float array, shape (n_cases, output units) or (output units,)
        """
        return self._slot(cases, self.design.inference.monitor[1], backend)

    def encode(self, cases, backend="native"):
        """Return the activity of the narrowest hidden group on the first pass."""
        return self.activity(cases, self.design.network.code.name, backend)

    def complete(self, cases, known, trips=30, backend="native"):
        """Return the visible units trip by trip, from cases of which a part is known.

        Unknown units start at .5 and take what each trip brings back; known ones are
        clamped. Source: Hinton & McClelland 1988, "Using a hierarchy of closed loops".

        Parameters
        ----------
        cases : float array, shape (n_cases, n_visible)
        known : bool array, shape (n_cases, n_visible) or (n_visible,)

        Returns
        -------
        float array, shape (trips + 1, n_cases, n_visible): the start, then each trip
        """
        cases = np.atleast_2d(self._checked(cases))
        known = np.broadcast_to(np.asarray(known, bool), cases.shape)
        states = [np.where(known, cases, 0.5)]
        for _ in range(trips):
            states.append(np.where(known, cases, self.reconstruct(states[-1], backend)))
        return np.stack(states)

    def activity(self, cases, name, backend="native"):
        """Return what the slot of that name holds after the first pass, a row per case.

        The slots are listed by `design.inference`: all groups, and all steps of them.
        """
        slots = [slot.name for slot in self.design.inference.layout.slots]
        if name not in slots:
            raise DesignError(
                f"no slot '{name}'{nearest(name, slots)}; slots are {', '.join(slots)}"
            )
        return self._slot(cases, slots.index(name), backend)

    def weight_change(self, cases, rule=None, backend="native"):
        """Return what a rule would add to each weight for a batch, before the rate.

        Parameters
        ----------
        cases : float array, shape (n_cases, n_visible) or (n_visible,)
        rule : a rule, or None for the design's own
        """
        cases = np.atleast_2d(self._checked(cases))
        network, substrate = self.design.network, self.design.substrate
        arrays = self.matrices
        if rule is None:
            program = self.design.lowered(len(cases))
        else:
            substrate = substrate if isinstance(substrate, Ideal) else Ideal()
            program = Design(network, rule, substrate).program
            arrays = self._with_feedback(substrate, program.layout.matrices)
        sums = weight_change(program, arrays, substrate.encode(cases, network), backend)
        return [
            substrate.change(g, matrix)
            for g, matrix in zip(sums, program.layout.matrices, strict=True)
        ][: len(network.matrices)]

    def _with_feedback(self, substrate, records):
        """Return the network's weights as `substrate` holds them, and fresh feedback."""
        network, known = self.design.network, self.weights
        fresh = [
            network.initial(record, self.seed, step)
            for step, record in enumerate(records) if step >= len(known)
        ]  # fmt: skip
        return [substrate.store(array, None)[0] for array in (*known, *fresh)]

    def _slot(self, cases, index, name):
        cases = self._checked(cases)
        design, program = self.design, self.design.lowered_inference
        codes = design.substrate.encode(np.atleast_2d(cases), design.network)
        weights = [matrix[None] for matrix in self.matrices[: len(program.layout.matrices)]]
        found = backend(name).forward(program, weights, codes, index)[0]
        values = design.substrate.decode(found, program.layout.slots[index])
        return values if cases.ndim == 2 else values[0]

    def _checked(self, cases):
        """Return cases as an array, of the network's shape and finite."""
        try:
            cases = np.asarray(cases, np.float64)
        except (TypeError, ValueError) as error:
            raise TaskError(f"cases: not a table of numbers ({error})") from None
        size, targets = self.design.network.case_size, self.design.network.n_targets
        if targets and cases.shape[-1:] == (size - targets,):
            cases = np.concatenate([cases, np.zeros((*cases.shape[:-1], targets))], axis=-1)
        if cases.ndim not in (1, 2) or cases.shape[-1] != size or not cases.size:
            raise TaskError(f"cases: want shape (n, {size}) or ({size},), got {cases.shape}")
        if not np.isfinite(cases).all():
            raise TaskError("cases: NaN or infinite values")
        return cases


def weight_change(program, matrices, cases, name="native"):
    """Return g of every matrix after one batch of `cases`, with nothing written."""
    weights = [np.ascontiguousarray(matrix)[None].copy() for matrix in matrices]
    dtype = f"int{program.word}" if isinstance(program, IntegerProgram) else weights[0].dtype
    sums = [np.zeros(matrix.shape, dtype) for matrix in weights]
    count = len(cases)
    job = Job(
        program.without_writes(), weights, sums, cases, np.arange(count)[None],
        np.array([count]), Watch.start(1), fixed=FixedState.start([0], len(weights)),
    )  # fmt: skip
    backend(name).train(job)
    return [matrix[0] for matrix in sums]
