"""What a chip does, counted: events by name, phase, memory and width."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

PHASES = ("inference", "learning")
ARRAYS = ("weights", "state", "sums", "table", "case")
EVENTS = {
    "multiply_accumulates": "a product added to a sum; bits: both factors, the sum",
    "multiplies": "a product alone; bits: both factors",
    "accumulates": "a sum or difference alone; bits: the result",
    "table_reads": "a unit's response looked up; bits: the response",
    "reads": "a memory word read; bits: the word",
    "writes": "a memory word written; bits: the word",
    "case_loads": "a value of the case brought to the chip; bits: the value",
    "random_numbers": "a random number drawn; bits: the number",
    "spikes": "a spike sent by a neuron",
    "synaptic_events": "a spike arriving at one synapse",
    "neuron_updates": "one time step of one neuron",
    "trace_updates": "one plasticity trace brought up to date",
    "unit_seconds": "a second of one analog unit under power",
    "synapse_seconds": "a second of one synapse conducting into a unit that follows its input",
    "conversions": "a value of the case made analog; bits: the converter's",
    "weight_writes": "a weight changed where it is stored, by a device or a synapse",
    "seconds": "time spent; not priced: leakage and clocks are outside these counts",
}
"""What may be counted: on clocked chips the first eight, in continuous time the others."""

UNPRICED = ("seconds",)


@dataclass(frozen=True)
class Event:
    """One kind of thing that happens, and in which phase.

    `array` names the memory of a word moved, `bits` the widths of what takes part
    (none for events that have no width), `real` says that those are floats.
    """

    name: str
    phase: str
    array: str = ""
    bits: tuple[int, ...] = ()
    real: bool = False

    def __post_init__(self):
        for field, value, allowed in (
            ("name", self.name, EVENTS),
            ("phase", self.phase, PHASES),
            ("array", self.array, ("", *ARRAYS)),
        ):
            if value not in allowed:
                raise ValueError(
                    f"Event.{field} = {value!r}; allowed are {', '.join(map(repr, allowed))}"
                )


class Counts(Mapping):
    """How often each event happened; frozen. Counts add, and scale by a number.

    A substrate in continuous time builds its own: `Counts({Event("spikes",
    "inference"): 12.5})`. Numbers may be means over cases.
    """

    def __init__(self, numbers=()):
        self._numbers = {event: n for event, n in dict(numbers).items() if n}
        for event, n in self._numbers.items():
            if not isinstance(event, Event) or not n > 0:
                raise ValueError(
                    f"Counts: {n!r} of {event!r}; want a positive number of an Event"
                )

    def __getitem__(self, event):
        return self._numbers.get(event, 0)

    def __iter__(self):
        return iter(self._numbers)

    def __len__(self):
        return len(self._numbers)

    def __repr__(self):
        return f"Counts({self._numbers!r})"

    def __add__(self, other):
        return Counts({event: self[event] + other[event] for event in {**self, **other}})

    def __mul__(self, factor):
        return Counts({event: n * factor for event, n in self.items()})

    __rmul__ = __mul__

    def total(self, name=None, phase=None, array=None):
        """Return how many events there are of this name, phase and memory; None: of all."""
        return sum(
            n for event, n in self.items()
            if name in (None, event.name) and phase in (None, event.phase)
            and array in (None, event.array)
        )  # fmt: skip

    def during(self, phase):
        """Return the counts of one phase."""
        return Counts({event: n for event, n in self.items() if event.phase == phase})

    def record(self):
        """Return the counts as plain values that JSON takes."""
        return [
            asdict(event) | {"bits": list(event.bits), "count": n} for event, n in self.items()
        ]


@dataclass(frozen=True)
class Memory:
    """What must be stored, and the wires that only an error needs.

    Words of the state are those alive between two operations, at the worst place:
    written, and still to be read. `inference_*`: for the first pass alone.
    """

    weight_words: int  # of the network
    weight_bits: int
    state_words: int
    state_bits: int
    inference_state_words: int
    inference_state_bits: int
    feedback_words: int = 0  # weights that serve errors alone
    feedback_bits: int = 0
    sum_words: int = 0  # of g, where it must be stored
    sum_bits: int = 0
    residue_bits: int = 0  # of these, kept from one write to the next: carry, or momentum
    table_bits: int = 0
    transposed_reads: int = 0  # weights read along the other axis, in a presentation
    feedback_reads: int = 0  # weights read that serve errors alone

    @property
    def packed_bits(self):
        """Every bit that a chip which learns stores."""
        return (
            self.weight_bits + self.feedback_bits + self.sum_bits + self.state_bits
            + self.table_bits
        )  # fmt: skip

    @property
    def inference_packed_bits(self):
        """Every bit that a chip stores which does not learn."""
        return self.weight_bits + self.inference_state_bits + self.table_bits

    @property
    def capacities(self):
        """Return how many bits each memory holds, by the array's name."""
        return {
            "weights": self.weight_bits + self.feedback_bits,
            "state": self.state_bits,
            "sums": self.sum_bits,
            "table": self.table_bits,
        }


@dataclass(frozen=True)
class Tally:
    """What one presentation and one write of a batch take, and the memory for it.

    Parameters
    ----------
    case : Counts
        Of one presentation of one case.
    batch : Counts
        Of the write at the end of each batch.
    batch_size : int
        Presentations to a write.
    memory : Memory, or None where the substrate states none
    activity : str
        "measured" on cases; "assumed": nothing is skipped because it is 0; or "exact":
        no count depends on the cases.
    basis : str
        The same in words.
    """

    case: Counts
    batch: Counts
    batch_size: int
    memory: Memory | None
    activity: str
    basis: str

    @property
    def inference(self):
        """What one inference takes."""
        return self.case.during("inference")

    @property
    def example(self):
        """What one learned example takes: inference, learning, and its share of the write."""
        return self.case + self.batch * (1 / self.batch_size if self.batch_size > 1 else 1)

    @property
    def weight_updates(self):
        """Weights written for one learned example: what NeuroBench has no name for."""
        written = self.example.total("writes", array="weights")
        return written + self.example.total("weight_writes")

    def record(self):
        """Return the tally as plain values that JSON takes."""
        memory = self.memory and asdict(self.memory) | {
            "packed_bits": self.memory.packed_bits,
            "inference_packed_bits": self.memory.inference_packed_bits,
        }
        return {
            "case": self.case.record(), "batch": self.batch.record(),
            "batch_size": self.batch_size, "memory": memory,
            "weight_updates": self.weight_updates,
            "activity": self.activity, "basis": self.basis,
        }  # fmt: skip
