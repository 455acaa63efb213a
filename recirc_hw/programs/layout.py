"""The chip's memory: slots of one state vector, and weight matrices."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Slot:
    """A named slice of the state vector; slots may overlap, as joined ones do."""

    name: str
    offset: int
    size: int


def overlap(first, second):
    """Whether two slots share values."""
    shared = min(first.offset + first.size, second.offset + second.size)
    return shared > max(first.offset, second.offset)


def sharing(slots, index):
    """Return the positions of the slots that share values with one of them, itself too."""
    return [i for i, slot in enumerate(slots) if i == index or overlap(slot, slots[index])]


@dataclass(frozen=True)
class WritePolicy:
    """How the sums of one matrix become weights, once per batch.

        w <- cap((1 - decay) w + rate g),   then   g <- momentum g

    With `mean`, each case adds its share 1 / (cases in the batch) to g.
    `norm_cap` bounds the Euclidean norm of a unit's incoming weights, the bias
    left out.
    """

    rate: float
    mean: bool = False
    momentum: float = 0.0
    decay: float = 0.0
    norm_cap: float = 0.0  # 0: no cap


@dataclass(frozen=True)
class Matrix:
    """A weight matrix of `rows` units, each with `cols` inputs and one bias.

    Arrays of it have shape (rows, cols + 1); the bias is the last column.
    """

    name: str
    rows: int
    cols: int
    function: str  # of the units it projects to
    feedback: bool = False  # carries errors only; no part of the network
    policy: WritePolicy | None = None  # None: never written


@dataclass(frozen=True)
class Layout:
    """The slots and matrices that programs of one design share."""

    slots: tuple[Slot, ...] = ()
    matrices: tuple[Matrix, ...] = ()
    size: int = field(default=0)  # of the state vector

    def matrix_index(self, name):
        """Return the position of the matrix called `name`."""
        return [matrix.name for matrix in self.matrices].index(name)
