"""The units' responses, and their slopes told from the activity, in NumPy."""

import numpy as np


def logistic(x):
    """1 / (1 + exp(-x)), without overflow warnings at the rails."""
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-x))


RESPONSES = {"identity": lambda x: x, "logistic": logistic, "tanh": np.tanh}
SLOPES = {
    "identity": np.ones_like,
    "logistic": lambda y: y * (1 - y),
    "tanh": lambda y: 1 - y * y,
}
