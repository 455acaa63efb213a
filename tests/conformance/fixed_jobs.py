"""Random fixed-point jobs: any network, rule, formats, weights at any code, cases."""

import copy

import numpy as np
from hypothesis import strategies as st

from recirc_hw import (
    BPTT,
    Backprop,
    Design,
    DesignError,
    ErrorRecirculation,
    FixedPoint,
    Hierarchy,
    Layered,
    Loop,
    RandomFeedback,
    Recirculation,
    Recurrent,
    TopOnly,
)
from recirc_hw.backends import Job, Watch
from recirc_hw.programs import FixedState

FUNCTIONS = ("logistic", "tanh", "identity")
ROUNDINGS = ("floor", "half_up", "half_even", "stochastic", "carry")


@st.composite
def loops(draw):
    hidden = draw(st.lists(st.integers(1, 19), min_size=1, max_size=3))
    functions = tuple(draw(st.sampled_from(FUNCTIONS)) for _ in hidden)
    visible = draw(st.sampled_from(FUNCTIONS))
    return Loop(draw(st.integers(1, 35)), *hidden, visible=visible, hidden=functions)


@st.composite
def hierarchies(draw):
    sizes = st.tuples(st.integers(1, 9), st.integers(1, 9))
    upper = draw(st.sampled_from([((3, 0, 1),), ((2, 0), (5, 2, 1)), ((17, 1, 0),)]))
    return Hierarchy(
        leaves=(draw(sizes), draw(sizes)), upper=upper,
        response=draw(st.sampled_from(FUNCTIONS)),
    )  # fmt: skip


@st.composite
def layers(draw):
    sizes = st.integers(1, 19)
    shape = draw(st.sampled_from(["plain", "joined"]))
    middle = ((3, 17), (2, 2), draw(sizes)) if shape == "joined" else (draw(sizes),)
    first = () if shape == "joined" else (draw(sizes),)
    hidden, output = draw(st.sampled_from(FUNCTIONS)), draw(st.sampled_from(FUNCTIONS))
    return Layered(*first, *middle, draw(sizes), hidden=hidden, output=output)


@st.composite
def recurrents(draw):
    outputs, hidden, steps = draw(st.sampled_from([0, 1, 3])), draw(st.integers(2, 5)), 3
    return Recurrent(
        draw(st.integers(0 if outputs == 0 else 1, 3)), hidden, outputs, steps=steps,
        hidden=draw(st.sampled_from(FUNCTIONS)), output=draw(st.sampled_from(FUNCTIONS)),
        initial_state=draw(st.sampled_from(["learned", "fixed", "given"])),
        taught_steps=draw(st.sampled_from([None, (3,), (1, 3)])),
        taught_units=None if outputs else draw(st.sampled_from([None, (1,), (0, 1)])),
    )  # fmt: skip


RATES = st.sampled_from([16.0, 1.0, 0.3, 2.0**-7, 0.0])


@st.composite
def recirculations(draw):
    shares = st.sampled_from([0.0, 0.5, 0.75, 0.9, 0.3])
    return Recirculation(
        combine=draw(st.sampled_from(["PR", "CCR", "RCC", "CCRCC", "RWCC"])),
        regression=draw(shares),
        hidden_regression=draw(st.none() | shares),
        cycles=draw(st.sampled_from([1, 2, (1, 2)])),
        presynaptic=draw(st.sampled_from(["first", "second"])),
        apply_visible_rule_twice=draw(st.booleans()),
        learning_rate=draw(RATES),
        batch=draw(st.sampled_from(["sum", "mean"])),
    )


@st.composite
def descents(draw, kind=Backprop):
    momentum = {"momentum": 0} if kind is BPTT else {}
    return kind(
        learning_rate=draw(RATES), loss=draw(st.sampled_from(["matched", "squared"])),
        **momentum,
    )  # fmt: skip


@st.composite
def rules_of_loops(draw):
    kind = draw(st.integers(0, 8))
    if kind <= 4:
        return draw(recirculations())
    if kind == 5:
        return ErrorRecirculation(learning_rate=draw(RATES))
    if kind == 6:
        return draw(descents())
    if kind == 7:
        random = draw(st.sampled_from(["RBP", "SRBP", "ARBP"]))
        return RandomFeedback(learning_rate=draw(RATES), kind=random)
    return TopOnly(learning_rate=draw(RATES))


@st.composite
def networks_with_rules(draw):
    """Draw a network of any kind and a rule that teaches it; loops as often as the rest."""
    kind = draw(st.sampled_from(["loop", "loop", "loop", "hierarchy", "layered", "recurrent"]))
    if kind == "loop":
        return draw(loops()), draw(rules_of_loops())
    if kind == "hierarchy":
        return draw(hierarchies()), draw(recirculations())
    if kind == "layered":
        return draw(layers()), draw(descents())
    return draw(recurrents()), draw(descents(BPTT))


WEIGHT_BITS = st.sampled_from([2, 3, 5, 8, 12, 16, 20, 24, 32])


@st.composite
def weight_formats(draw, n_matrices):
    """Draw formats of weights and biases: one for all matrices, or one for each."""
    count = draw(st.sampled_from([1, n_matrices]))
    bits = [draw(WEIGHT_BITS) for _ in range(count)]
    fractions = [draw(st.integers(-9, n - 1)) for n in bits]
    biases = draw(st.booleans())
    offsets = [draw(st.integers(-3, 3)) if biases else 0 for _ in bits]
    formats = {
        "weight_bits": bits,
        "weight_fraction_bits": fractions,
        "bias_fraction_bits": [
            min(f + o, n - 1) for n, f, o in zip(bits, fractions, offsets, strict=True)
        ],
    }
    if not biases:
        del formats["bias_fraction_bits"]
    return {
        name: values[0] if count == 1 else tuple(values) for name, values in formats.items()
    }


@st.composite
def substrates(draw, n_matrices):
    activation = draw(st.sampled_from(["table", "plan"]))
    return FixedPoint(
        **draw(weight_formats(n_matrices)),
        # PLAN has a table of 2^(A + 4) entries.
        activity_bits=draw(st.sampled_from([2, 4, 8, 11] + [16] * (activation == "table"))),
        identity_integer_bits=draw(st.sampled_from([0, 2, 5])),
        rounding=draw(st.sampled_from(ROUNDINGS)),
        wide=draw(st.booleans()),
        activation=activation,
        table_fraction_bits=draw(st.sampled_from([0, 3, 5])),
        table_integer_bits=draw(st.sampled_from([None, None, 1, 3])),
        rate_bits=draw(st.sampled_from([1, 8])),
        error_fraction_bits=draw(st.sampled_from([None, None, 0, 8])),
        error_integer_bits=draw(st.sampled_from([None, 0, 2, 5])),
    )


class FixedSetting:
    """Everything a job starts from; `job()` copies it, so that no run sees another's."""

    def __init__(self, design, *, seed, n_chips, batch, updates, rails, threshold, hold):
        self.design, self.program = design, design.lowered(batch)
        random = np.random.default_rng(seed)
        matrices = self.program.layout.matrices
        self.weights = [self._codes(random, m, n_chips, rails) for m in matrices]
        self.sums = [self._remainders(random, m, n_chips) for m in matrices]
        values = random.uniform(-1.2, 1.2, (5, design.network.case_size))
        values[random.random(values.shape) < 0.3] = 0
        self.cases = design.substrate.encode(values, design.network)
        self.order = random.integers(0, 5, (n_chips, batch * updates))
        self.ends = np.arange(1, updates + 1) * batch
        self.watch = Watch.start(n_chips, threshold, hold)
        self.fixed = FixedState.start(random.integers(0, 2**63, n_chips), len(matrices))
        self.fixed.steps[:] = random.integers(0, 2**40, n_chips)

    def _codes(self, random, matrix, n_chips, rails):
        shape = (n_chips, matrix.rows, matrix.cols + 1)
        codes = random.integers(matrix.low, matrix.high + 1, shape)
        if rails:
            codes = np.where(random.random(shape) < 0.5, matrix.low, matrix.high)
        return codes.astype(self.design.substrate.dtype)

    def _remainders(self, random, matrix, n_chips):
        shape = (n_chips, matrix.rows, matrix.cols + 1)
        left = np.zeros(shape, f"int{self.program.word}")
        if matrix.rounding == "carry" and matrix.written:
            for part, shift in (
                (slice(-1), matrix.shift),
                (slice(-1, None), matrix.bias_shift),
            ):
                half = (1 << shift) >> 1
                drawn = random.integers(-half, max(half, 1), left[..., part].shape)
                left[..., part] = drawn
        return left

    def job(self, threads=1):
        copied = copy.deepcopy((self.weights, self.sums, self.watch, self.fixed))
        weights, sums, watch, fixed = copied
        return Job(
            self.program, weights, sums, self.cases, self.order, self.ends, watch, threads,
            body=fixed,
        )  # fmt: skip


@st.composite
def settings_of_jobs(draw):
    network, rule = draw(networks_with_rules())
    try:
        design = Design(network, rule, draw(substrates(len(network.matrices))))
        return FixedSetting(
            design,
            seed=draw(st.integers(0, 2**32)),
            n_chips=draw(st.sampled_from([1, 2, 17])),
            batch=draw(st.sampled_from([1, 1, 3])),
            updates=draw(st.integers(1, 4)),
            rails=draw(st.booleans()),
            threshold=draw(st.sampled_from([-1.0, 0.6, 5.0])),
            hold=draw(st.integers(0, 2)),
        )
    except DesignError:
        return None  # an overflow that was refused, as it should be


def outcome(train, job):
    """Return everything that a training leaves behind."""
    error, unit_error = train(job)
    watch, fixed = job.watch, job.body
    return [
        *job.weights, *job.sums, fixed.steps, fixed.counters, error, unit_error,
        watch.updates, watch.crossed, watch.checked, watch.passed, watch.active,
    ]  # fmt: skip


def assert_same(found, wanted):
    for a, b in zip(found, wanted, strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)
