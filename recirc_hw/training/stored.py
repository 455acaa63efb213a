"""What a training leaves on disk, field by field: files may come from strangers."""

import reprlib
from typing import Annotated, Any, Literal, get_type_hints

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    create_model,
    model_validator,
)

from recirc_hw.training.run import SUMMARY, Run

FORMAT = 1  # of run.json
MAY_BE_NAN = ("held_share", "unit_error", "error")
CURVES = (
    ("update", "train_error", "train_unit_error"),
    ("test_update", "test_error", "test_cross_entropy"),
)
"""Names of a run's history; those of one line are as long as one another."""

Count = Annotated[int, Field(ge=0, lt=2**63)]
Real = float | None  # None: not finite, which JSON cannot hold


class Stored(BaseModel):
    """A part of a file; what is not named here is let pass."""

    model_config = ConfigDict(strict=True)


class Alignments(Stored):
    """What `probe` found, one value per weight matrix of the network."""

    change: list[Real]
    alignment: list[Real]
    symmetry: list[Real]


class Probe(Alignments):
    """What a probe of one chip found at a moment."""

    update: Count


class _RunShape(Stored):
    """What the fields of a run have to do with one another."""

    history: dict[str, list[Real]]
    probes: list[Probe]

    @model_validator(mode="after")
    def _fits_together(self):
        if self.learned != (self.updates is not None):
            raise ValueError(f"learned = {self.learned} with updates = {self.updates}")
        for names in CURVES:
            lengths = {name: len(self.history.get(name, ())) for name in names}
            if not set(names) <= set(self.history) or len(set(lengths.values())) > 1:
                raise ValueError(f"history: want {', '.join(names)}, all as long")
        return self


def _type(name, hint):
    """Return what a field of `Run` may hold in a file."""
    if name in MAY_BE_NAN:
        return Real
    return {int: Count, int | None: Count | None}.get(hint, hint)


_FIELDS: dict[str, Any] = {
    name: (_type(name, hint), ...)
    for name, hint in get_type_hints(Run).items()
    if name in SUMMARY
}
RunRecord = create_model("RunRecord", __base__=_RunShape, **_FIELDS)
"""A run as `Run.record` gives it."""


class RunFile(Stored):
    """The content of run.json."""

    format: Literal[1]
    runs: Annotated[list[RunRecord], Field(min_length=1)]


class Tested(Stored):
    """A look at the test cases, one value per chip."""

    update: Count
    error: list[Real]
    cross_entropy: list[Real]


class Probed(Stored):
    """What probes of all chips found at a moment."""

    update: Count
    chips: list[Alignments]


class Progress(Stored):
    """What a checkpoint holds beside its arrays."""

    done: Count
    wall_s: Annotated[float, Field(ge=0)]
    before: list[Count]
    tests: list[Tested]
    probes: list[Probed]


def checked(kind, content):
    """Return the part of a file that `content` is.

    Raises
    ------
    ValueError
        Naming the first field that is wrong, what it holds and what is allowed.
    """
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        problem = error.errors()[0]
    where = "".join(
        f"[{part}]" if isinstance(part, int) else f".{part}" for part in problem["loc"]
    ).removeprefix(".")
    message = problem["msg"].removeprefix("Value error, ")
    message = message[0].lower() + message[1:]
    if problem["type"] in ("missing", "value_error"):
        raise ValueError(f"{where}: {message}")
    raise ValueError(f"{where or 'the file'} = {reprlib.repr(problem['input'])}: {message}")
