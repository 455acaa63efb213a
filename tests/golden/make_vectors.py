"""Write the golden vectors: python tests/golden/make_vectors.py

Each file is one small chip: its integer program, its tables' digests, its weights
and sums at the start, the codes of its cases, and weights, sums and counters after
every write. docs/arithmetic.md says what each field means.
"""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np

import recirc_hw as rh
from recirc_hw.backends import Job, Watch, reference
from recirc_hw.programs import FixedState
from recirc_hw.programs.tables import digest

HERE = Path(__file__).parent
DESIGNS = {
    "recirculation_carry": rh.Design(
        rh.Loop(4, 2), rh.Recirculation(learning_rate=16), rh.FixedPoint()
    ),
    "recirculation_stochastic": rh.Design(
        rh.Loop(5, 3, hidden="tanh"),
        rh.Recirculation(combine="PR", presynaptic="first", learning_rate=0.3),
        rh.FixedPoint(weight_bits=12, weight_fraction_bits=8, rounding="stochastic"),
    ),
    "backprop_half_even": rh.Design(
        rh.Loop(5, 4, 3, visible="identity", hidden=("logistic", "tanh")),
        rh.Backprop(learning_rate=0.25, loss="squared"),
        rh.FixedPoint(
            weight_bits=10, weight_fraction_bits=(6, 7, 5), rounding="half_even",
            activation="plan",
        ),
    ),
}  # fmt: skip
BATCH, WRITES, SEED = 2, 6, 11


def job_of(design):
    """Return the job that a golden file records."""
    chip, program = design.fabricate(SEED), design.lowered(BATCH)
    random = np.random.default_rng(SEED)
    values = random.uniform(-0.2, 1.2, (BATCH * WRITES, design.network.case_size))
    return Job(
        program, [matrix[None].copy() for matrix in chip.matrices],
        [matrix[None].copy() for matrix in chip.start_sums(program)],
        design.substrate.encode(values, design.network), np.arange(BATCH * WRITES)[None],
        np.arange(BATCH, BATCH * WRITES + 1, BATCH), Watch.start(1),
        body=FixedState.start([SEED], len(chip.matrices)),
    )  # fmt: skip


def snapshot(job):
    """Return what a chip holds, as plain integers."""
    return {
        "weights": [matrix[0].tolist() for matrix in job.weights],
        "sums": [matrix[0].tolist() for matrix in job.sums],
        "steps": int(job.body.steps[0]),
        "counters": job.body.counters[0].tolist(),
    }


def walk(design, train):
    """Return the snapshots of a chip at the start and after every write."""
    job, found = job_of(design), []
    order, ends = job.order, job.batch_ends
    found.append(snapshot(job))
    for k in range(len(ends)):
        job.order, job.batch_ends = (
            order[:, k * BATCH : (k + 1) * BATCH].copy(),
            ends[:1].copy(),
        )
        train(job)
        found.append(snapshot(job))
    return found


def vector(design):
    """Return the content of a golden file."""
    job = job_of(design)
    program = job.program
    return {
        "design": design.to_toml(),
        "seed": SEED,
        "slots": [asdict(slot) for slot in program.layout.slots],
        "matrices": [asdict(matrix) for matrix in program.layout.matrices],
        "operations": [asdict(op) for op in program.ops],
        "tables": [asdict(key) | {"sha256": digest(key)} for key in program.tables],
        "cases": job.cases.tolist(),
        "batch": BATCH,
        "states": walk(design, reference.train),
    }


def main():
    for name, design in DESIGNS.items():
        text = json.dumps(vector(design), separators=(",", ":"))
        (HERE / f"{name}.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
