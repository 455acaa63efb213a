"""The ledger: what a design costs in operations, memory and energy.

`fold` counts a program's operations, inference apart from learning; `prices`
turns counts into energy, every price with its source; `metrics` has
NeuroBench's names. A substrate in continuous time brings its own `Tally`.
"""

from recirc_hw.ledger.costs import Cost, cost, tally
from recirc_hw.ledger.counts import Counts, Event, Memory, Tally
from recirc_hw.ledger.metrics import neurobench
from recirc_hw.ledger.prices import PriceList, price_list
from recirc_hw.ledger.tables import side_by_side

__all__ = [
    "Cost",
    "Counts",
    "Event",
    "Memory",
    "PriceList",
    "Tally",
    "cost",
    "neurobench",
    "price_list",
    "side_by_side",
    "tally",
]
