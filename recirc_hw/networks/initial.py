"""How a chip's weights start, and the words that every network shares."""

import math
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from recirc_hw.random_streams import uniform

Function = Literal["logistic", "tanh", "identity"]
Start = Annotated[
    Literal["uniform", "glorot"],
    Field(description="uniform: weights and biases in +-initial_range; or glorot"),
]
Range = Annotated[float, Field(gt=0, description="half the width of the uniform start")]


@dataclass(frozen=True)
class Group:
    """Units that share a response function; `case_offset` is where their clamp starts."""

    name: str
    size: int
    function: str
    case_offset: int = 0


def draw(matrix, seed, step, start, initial_range):
    """Return a matrix's weights at fabrication, float64, shape (rows, cols + 1).

    "uniform": weights and biases in +-initial_range. "glorot": weights in
    +-sqrt(6 / (rows + columns)), biases 0; so start those that only carry errors.
    """
    shape = (matrix.rows, matrix.cols + 1)
    purpose = "feedback" if matrix.feedback else "weights"
    if start == "uniform" and not matrix.feedback:
        bound = initial_range
    else:
        bound = math.sqrt(6.0 / (matrix.rows + matrix.cols))
    weights = uniform(seed, purpose, shape, step=step, low=-bound, high=bound)
    if start == "glorot" or matrix.feedback:
        weights[:, -1] = 0.0
    return weights
