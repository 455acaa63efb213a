"""Write the golden vectors: python tests/golden/make_vectors.py

Each file is one small chip: its integer program, its tables' digests, its weights
and sums at the start, the codes of its cases, and weights, sums, counters and errors
after every write. docs/arithmetic.md says what each field means.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

import recirc_hw as rh
from recirc_hw.backends import Job, Watch, reference
from recirc_hw.programs import FixedState
from recirc_hw.programs.tables import digest

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Recipe:
    """A chip, what it starts from, and how long it learns.

    `start` is "fabricated", or "rails": half of the weights at either rail, the sums
    anywhere that a carry may leave them.
    """

    design: rh.Design
    seed: int = 11
    step: int = 0
    batch: int = 2
    writes: int = 6
    start: str = "fabricated"


def small(rule, *sizes, network=None, **substrate):
    """Return a design of few units and few bits."""
    return rh.Design(rh.Loop(*sizes, **network or {}), rule, rh.FixedPoint(**substrate))


def recirculation(rate, **fields):
    """Return Hinton and McClelland's rule at a rate."""
    return rh.Recirculation(learning_rate=rate, **fields)


RECIPES = {
    "recirculation_carry": Recipe(small(recirculation(16), 4, 2)),
    "recirculation_stochastic": Recipe(
        small(
            recirculation(0.3, combine="PR", presynaptic="first"), 5, 3,
            network={"hidden": "tanh"}, weight_bits=12, weight_fraction_bits=8,
            rounding="stochastic",
        )
    ),
    "backprop_half_even": Recipe(
        small(
            rh.Backprop(learning_rate=0.25, loss="squared"), 5, 4, 3,
            network={"visible": "identity", "hidden": ("logistic", "tanh")},
            weight_bits=10, weight_fraction_bits=(6, 7, 5), rounding="half_even",
            activation="plan",
        )
    ),
    # Weights, remainders and table indices at both rails; biases in a format of their own.
    "rails_carry": Recipe(
        small(
            recirculation(64), 3, 2, weight_bits=6, weight_fraction_bits=0,
            bias_fraction_bits=2, activity_bits=6, table_integer_bits=2,
        ),
        start="rails",
    ),
    # Codes so coarse that most sums and weight changes are ties, of either sign.
    "ties_half_up": Recipe(
        small(
            recirculation(2, batch="mean"), 3, 2, network={"visible": "identity"},
            weight_bits=7, weight_fraction_bits=5, activity_bits=3, rounding="half_up",
        ),
        batch=1, writes=8, start="rails",
    ),
    "ties_half_even": Recipe(
        small(
            recirculation(0.5, regression=0.3), 3, 2, network={"hidden": "identity"},
            weight_bits=7, weight_fraction_bits=5, activity_bits=3, rounding="half_even",
            wide=False,
        ),
        batch=1, writes=8, start="rails",
    ),
    "ties_carry": Recipe(
        small(
            recirculation(0.5, combine="RCC"), 3, 2, network={"hidden": "tanh"},
            weight_bits=6, weight_fraction_bits=4, activity_bits=3, activation="plan",
        ),
        batch=1, writes=8, start="rails",
    ),
    # A negative fraction of weights, so that sums are shifted up to the table's index.
    "narrow_floor": Recipe(
        small(
            recirculation(8), 3, 2, weight_bits=5, weight_fraction_bits=-4,
            bias_fraction_bits=-3, activity_bits=2, rounding="floor", wide=False,
        ),
    ),
    # More than 32 bits of seed and of step, and more than 32 random bits for each write.
    "long_keys_stochastic": Recipe(
        small(
            recirculation(2.0**-4), 3, 2, weight_bits=5, weight_fraction_bits=-3,
            activity_bits=16, table_fraction_bits=3, rounding="stochastic",
        ),
        seed=0xFEDCBA9876543210, step=0x123456789AB,
    ),
    "long_keys_short_shift": Recipe(
        small(
            recirculation(1), 3, 2, weight_bits=6, weight_fraction_bits=2,
            activity_bits=4, rounding="stochastic", activation="plan",
        ),
        seed=0x8000000000000001, step=0xFFFFFFFF,
    ),
    # Errors through weights of their own that learn as well, and that saturate.
    "random_feedback_carry": Recipe(
        small(
            rh.RandomFeedback(learning_rate=1, kind="ARBP"), 3, 2, 2,
            network={"hidden": ("tanh", "logistic")}, weight_bits=(6, 5, 7),
            weight_fraction_bits=(1, 2, 1), error_integer_bits=0, error_fraction_bits=4,
            activity_bits=5,
        ),
        batch=1, start="rails",
    ),
}  # fmt: skip


def job_of(recipe):
    """Return the job that a golden file records."""
    design, count = recipe.design, recipe.batch * recipe.writes
    chip, program = design.fabricate(recipe.seed), design.lowered(recipe.batch)
    random = np.random.default_rng(11)
    values = random.uniform(-0.2, 1.2, (count, design.network.case_size))
    weights, sums = chip.matrices, chip.start_sums(program)
    if recipe.start == "rails":
        weights = [_rails(random, m) for m in program.layout.matrices]
        sums = [
            _remainders(random, m, g)
            for m, g in zip(program.layout.matrices, sums, strict=True)
        ]
    body = FixedState.start([recipe.seed], len(weights))
    body.steps[:] = recipe.step
    return Job(
        program, [matrix[None].astype(design.substrate.dtype) for matrix in weights],
        [matrix[None].copy() for matrix in sums],
        design.substrate.encode(values, design.network), np.arange(count)[None],
        np.arange(recipe.batch, count + 1, recipe.batch), Watch.start(1), body=body,
    )  # fmt: skip


def _rails(random, matrix):
    """Return weights of which a quarter is at either rail, the others anywhere."""
    shape = (matrix.rows, matrix.cols + 1)
    codes = random.integers(matrix.low, matrix.high + 1, shape)
    place = random.random(shape)
    codes[place < 0.25], codes[place > 0.75] = matrix.low, matrix.high
    return codes


def _remainders(random, matrix, sums):
    """Return sums anywhere that a carry may leave them; zeros where nothing is carried."""
    if matrix.rounding != "carry" or not matrix.written:
        return sums * 0
    shifts = np.full(matrix.cols + 1, matrix.shift)
    shifts[-1] = matrix.bias_shift
    half = (1 << shifts) >> 1
    return random.integers(-half, np.maximum(half, 1), sums.shape).astype(sums.dtype)


def snapshot(job, history=None):
    """Return what a chip holds, and the errors of the batch before, as plain numbers."""
    error, unit_error = (None, None) if history is None else (h[0, -1] for h in history)
    return {
        "weights": [matrix[0].tolist() for matrix in job.weights],
        "sums": [matrix[0].tolist() for matrix in job.sums],
        "steps": int(job.body.steps[0]),
        "counters": job.body.counters[0].tolist(),
        "error": error if error is None else float(error),
        "unit_error": unit_error if unit_error is None else float(unit_error),
    }


def walk(recipe, train):
    """Return the snapshots of a chip at the start and after every write."""
    job = job_of(recipe)
    found, order, ends = [snapshot(job)], job.order, job.batch_ends[:1].copy()
    for k in range(recipe.writes):
        stretch = slice(k * recipe.batch, (k + 1) * recipe.batch)
        job.order, job.batch_ends = order[:, stretch].copy(), ends
        found.append(snapshot(job, train(job)))
    return found


def vector(recipe):
    """Return the content of a golden file."""
    job = job_of(recipe)
    program = job.program
    return {
        "design": recipe.design.to_toml(),
        "seed": recipe.seed,
        "slots": [asdict(slot) for slot in program.layout.slots],
        "matrices": [asdict(matrix) for matrix in program.layout.matrices],
        "operations": [asdict(op) for op in program.ops],
        "monitor": list(program.monitor),
        "tables": [asdict(key) | {"sha256": digest(key)} for key in program.tables],
        "cases": job.cases.tolist(),
        "batch": recipe.batch,
        "states": walk(recipe, reference.train),
    }


def main():
    for name, recipe in RECIPES.items():
        text = json.dumps(vector(recipe), separators=(",", ":"))
        (HERE / f"{name}.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
