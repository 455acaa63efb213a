"""Networks: groups of units and the weight matrices between them.

A network says what is connected to what, and how a chip's weights start. It
knows no learning rule and no hardware.
"""

from recirc_hw.networks.loop import Group, Loop

NETWORKS = {"loop": Loop}

__all__ = ["NETWORKS", "Group", "Loop"]
