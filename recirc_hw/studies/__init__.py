"""Studies: questions asked of many chips.

Does a design learn, and on what share of chips (`learning_yield`); where does it break
(`find_limit`); which hardware effect is to blame (`ablate`); and any grid or sample of
such questions, kept in a file and run on one machine or many (`sweep`). Studies train
chips and count; they draw nothing (see `reports`) and know no substrate by name.
"""

from recirc_hw.studies.ablation import Ablation, ablate
from recirc_hw.studies.curve import Frontier, Limit
from recirc_hw.studies.learning_yield import Yield, learning_yield
from recirc_hw.studies.limit import find_limit
from recirc_hw.studies.store import Store
from recirc_hw.studies.study_file import StudyFile
from recirc_hw.studies.sweep import sweep

__all__ = [
    "Ablation",
    "Frontier",
    "Limit",
    "Store",
    "StudyFile",
    "Yield",
    "ablate",
    "find_limit",
    "learning_yield",
    "sweep",
]
