"""Studies: the yield of 10,000 chips, and what a sweep costs beside its trainings.

Goals: 10,000 chips of 4-2-4 at 8 bits in under 10 s on two cores; under 5 ms a cell for
scheduling and storing. The peer is a bare loop that trains the same cells and keeps nothing.
"""

import tempfile
import time
from pathlib import Path

import recirc_hw as rh
from recirc_hw.studies.cells import run_cell

CHIPS, CELLS, ROUNDS = 10_000, 1000, 3
STUDY = f"""
design = "chip.toml"
task = "encoder:4"
chips = 1
max_updates = 1
sample = "random"
points = {CELLS}
[[vary]]
field = "rule.learning_rate"
from = 1.0
to = 32.0
"""


def main():
    design = rh.Design(rh.Loop(4, 2), rh.Recirculation(learning_rate=16.0), rh.FixedPoint())
    began = time.perf_counter()
    found = rh.learning_yield(
        design, rh.tasks.encoder(4), chips=CHIPS, max_updates=500, threads=2
    )
    spent = time.perf_counter() - began
    print(f"studies: {found} in {spent:.1f} s (goal 10)")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "study.toml"
        path.write_text(STUDY)
        (Path(folder) / "chip.toml").write_text(design.to_toml())
        pairs = [(bare(path), swept(path, Path(folder) / str(i))) for i in range(ROUNDS)]
    loop, study = map(min, zip(*pairs, strict=True))
    print(
        f"studies: {1000 * study:.2f} ms a cell in a sweep on one worker, {1000 * loop:.2f} in "
        f"a bare loop: {1000 * (study - loop):.2f} beside the training (goal 5)"
    )


def bare(path):
    """Return the seconds a cell takes in a loop that keeps nothing."""
    study = rh.studies.StudyFile.load(path)
    run_cell(study.cell(0))
    began = time.perf_counter()
    for number in range(1, CELLS):
        assert run_cell(study.cell(number)).status == "done"
    return (time.perf_counter() - began) / (CELLS - 1)


def swept(path, out):
    """Return the seconds a cell takes in a sweep, from the first result on."""
    times = []
    with rh.sweep(
        path, out=out, processes=1, progress=lambda *_: times.append(time.perf_counter())
    ) as store:
        assert store.counts() == {"done": CELLS}
    return (times[-1] - times[0]) / (CELLS - 1)
