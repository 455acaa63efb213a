"""Baldi & Sadowski's analysis: learning as differential equations.

Recirculation in linear networks at a small rate, as the systems of their sections
5.2 and 6.2 to 6.3: derivatives and invariants (`odes`), where a system rests
(`fixed_points`), and where it ends from many starts (`basins`). Nothing here knows
of chips, rules or programs.
"""

from recirc_hw.theory.basins import chain_limits, ends_at_minus_one, fan_limits
from recirc_hw.theory.fixed_points import (
    best_decoder,
    least_loss,
    linear_loss,
    two_weight_fixed_points,
)
from recirc_hw.theory.odes import (
    between_cycles,
    chain,
    chain_invariants,
    fan,
    fan_plane,
    gradient,
    gradient_invariant,
    integrate,
    random_feedback,
    random_feedback_invariant,
    recirculation,
)

__all__ = [
    "best_decoder",
    "between_cycles",
    "chain",
    "chain_invariants",
    "chain_limits",
    "ends_at_minus_one",
    "fan",
    "fan_limits",
    "fan_plane",
    "gradient",
    "gradient_invariant",
    "integrate",
    "least_loss",
    "linear_loss",
    "random_feedback",
    "random_feedback_invariant",
    "recirculation",
    "two_weight_fixed_points",
]
