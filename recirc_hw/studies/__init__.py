"""Studies: questions asked of many chips.

Does a design learn, and on what share of chips (`learning_yield`); where does it break
(`find_limit`); which hardware effect is to blame (`ablate`); does learning on the chip
beat loading weights (`transfer`); all of these together (`study`); and any grid or sample
of designs, kept in a file and run on one machine or many (`sweep`). Studies train
chips and count; they draw nothing (see `reports`) and know no substrate by name.
"""

from recirc_hw.studies.ablation import Ablation, ablate
from recirc_hw.studies.curve import Frontier, Limit
from recirc_hw.studies.learning_yield import Yield, learning_yield
from recirc_hw.studies.limit import find_limit
from recirc_hw.studies.store import Store
from recirc_hw.studies.study import TITLES, Study, study
from recirc_hw.studies.study_file import StudyFile
from recirc_hw.studies.sweep import sweep
from recirc_hw.studies.transfer import Transfer, transfer

__all__ = [
    "Ablation",
    "Frontier",
    "Limit",
    "Store",
    "Study",
    "StudyFile",
    "TITLES",
    "Transfer",
    "Yield",
    "ablate",
    "find_limit",
    "learning_yield",
    "study",
    "sweep",
    "transfer",
]
