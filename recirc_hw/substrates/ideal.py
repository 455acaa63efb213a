"""The ideal substrate: every value a float, no other limit."""

from typing import Literal

from pydantic import Field

from recirc_hw.programs import Body
from recirc_hw.substrates.floating import Floating


class Ideal(Floating):
    """Floating point, as a computer has it: the yardstick for real hardware.

    Parameters
    ----------
    precision : "float64" or "float32"
        The format of weights, activities and sums.
    """

    type: Literal["ideal"] = Field("ideal", description="floating point, no hardware limit")

    def lower(self, rule, network, batch_size=1):
        """Return the program a chip runs: the rule's own."""
        return rule.compile(network)

    def body(self, seeds, program):
        """Return what chips have besides weights: nothing but their seeds."""
        return Body.start(seeds)
