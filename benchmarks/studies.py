"""Studies: the yield of 10,000 chips, and what a sweep costs beside its trainings.

Goals: 10,000 chips of 4-2-4 at 8 bits in under 10 s on two cores; under 5 ms a cell for
scheduling and storing.
"""

import tempfile
import time
from pathlib import Path

import recirc_hw as rh

CHIPS, CELLS = 10_000, 1000
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
        times = []
        rh.sweep(
            path, out=Path(folder) / "a", processes=1,
            progress=lambda *_: times.append(time.perf_counter()),
        ).close()  # fmt: skip
        with rh.studies.Store.open(Path(folder) / "a") as store:
            rows = list(store.rows())[2:]  # until then the worker was starting
            trained = sum(row[store.columns.index("wall_s")] for row in rows)
    beside = (times[-1] - times[1] - trained) / len(rows)
    print(f"studies: {1000 * beside:.2f} ms a cell beside its training (goal 5)")
