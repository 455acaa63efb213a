"""Networks: groups of units and the weight matrices between them.

A network says what is connected to what, and how a chip's weights start. It
knows no learning rule and no hardware.
"""

from recirc_hw.networks.hierarchy import Hierarchy
from recirc_hw.networks.initial import Group
from recirc_hw.networks.layered import Layered
from recirc_hw.networks.loop import Loop
from recirc_hw.networks.recurrent import Recurrent

NETWORKS = {"loop": Loop, "layered": Layered, "recurrent": Recurrent, "hierarchy": Hierarchy}

__all__ = ["NETWORKS", "Group", "Hierarchy", "Layered", "Loop", "Recurrent"]
