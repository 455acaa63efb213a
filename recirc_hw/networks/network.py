"""What every network shares: what a case holds, and how the weights start."""

from abc import ABC, abstractmethod
from typing import ClassVar

from recirc_hw.fields import Fields
from recirc_hw.networks.initial import draw


class Network(Fields, ABC):
    """Groups of units and the weight matrices between them.

    A network names its `groups` and `matrices`, what a case holds (`case_groups`), and
    emits its passes through a builder.
    """

    mirrors: ClassVar[dict[str, str]] = {}  # matrices that are one and the same weights

    @property
    @abstractmethod
    def case_groups(self):
        """What a case holds, one group after another, each with its `case_offset`."""

    @property
    def case_size(self):
        """How many values a case has."""
        return sum(group.size for group in self.case_groups)

    @property
    def n_targets(self):
        """How many values at the end of a case are its target; 0 where all of it is."""
        return 0

    def initial(self, matrix, seed, step):
        """Return a matrix's weights at fabrication, float64, shape (rows, cols + 1)."""
        return draw(matrix, seed, step, self.initial_weights, self.initial_range)
