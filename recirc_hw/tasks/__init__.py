"""What is learned: cases, and the criterion of having learned them.

Here belong the papers' tasks, the image sets, a user's own arrays and files, and
their reading by name. Nothing here knows of networks, rules, chips or backends.
"""

from recirc_hw.tasks.addition import addition
from recirc_hw.tasks.arrays import file, from_array
from recirc_hw.tasks.criteria import BetterThanPCA, SquaredError, UnitError
from recirc_hw.tasks.digits import digits
from recirc_hw.tasks.encoder import encoder
from recirc_hw.tasks.family_trees import family_trees
from recirc_hw.tasks.images import fashion, mnist
from recirc_hw.tasks.lowrank import lowrank
from recirc_hw.tasks.pca import mean_error, pca_error, pca_reconstruct
from recirc_hw.tasks.spec import names, parse
from recirc_hw.tasks.spikes import SpikeTask, spikes
from recirc_hw.tasks.symmetry import symmetry
from recirc_hw.tasks.task import Task

__all__ = [
    "BetterThanPCA",
    "SpikeTask",
    "SquaredError",
    "Task",
    "UnitError",
    "addition",
    "digits",
    "encoder",
    "family_trees",
    "fashion",
    "file",
    "from_array",
    "lowrank",
    "mean_error",
    "mnist",
    "names",
    "parse",
    "pca_error",
    "pca_reconstruct",
    "spikes",
    "symmetry",
]
