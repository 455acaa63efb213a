"""A small study, and a crew of workers that computes in the test's own process."""

from concurrent.futures import Future

from recirc_hw.studies.cells import run_cell

DESIGN = """
[network]
type = "loop"
n_visible = 4
n_hidden = [2]
[rule]
type = "recirculation"
learning_rate = 16.0
[substrate]
type = "fixed_point"
"""

STUDY = """
design = "chip.toml"
task = "encoder:4"
chips = 6
max_updates = 60

[[vary]]
field = "substrate.weight_bits"
values = [3, 6, 8]

[[vary]]
field = "rule.learning_rate"
from = 8.0
to = 16.0
steps = 2
"""


class Here:
    """Computes cells at once, in this process; counts them."""

    def __init__(self, *_, **__):
        self.computed = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def capacity(self):
        return 2

    def submit(self, cell):
        done = Future()
        self.computed.append(cell)
        done.set_result(run_cell(cell))
        return done
