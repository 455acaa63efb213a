"""Rules: how an error signal reaches each weight matrix.

A rule emits operations through the builder, one small file each. It knows no
substrate and no backend; a rule of the user's own is a plain function wrapped
by `CustomRule`.
"""

from recirc_hw.rules.backprop import Backprop
from recirc_hw.rules.bptt import BPTT
from recirc_hw.rules.channels import Channels
from recirc_hw.rules.error_recirculation import ErrorRecirculation
from recirc_hw.rules.random_feedback import RandomFeedback
from recirc_hw.rules.recirculation import Recirculation
from recirc_hw.rules.rule import CustomRule, FirstPass, Rule
from recirc_hw.rules.top_only import TopOnly

RULES = {
    "recirculation": Recirculation,
    "error_recirculation": ErrorRecirculation,
    "backprop": Backprop,
    "bptt": BPTT,
    "random_feedback": RandomFeedback,
    "top_only": TopOnly,
    "channels": Channels,
}

__all__ = [
    "BPTT",
    "RULES",
    "Backprop",
    "Channels",
    "CustomRule",
    "ErrorRecirculation",
    "FirstPass",
    "RandomFeedback",
    "Recirculation",
    "Rule",
    "TopOnly",
]
