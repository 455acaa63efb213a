"""Analog chips against SciPy's DOP853, the equations written out once more."""

import math

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from recirc_hw import Analog, Design, Loop, Recirculation, tasks

# Short clamps are integrated as well as long ones.
pytestmark = pytest.mark.filterwarnings("ignore:Analog\\.")

CASES = np.array([[1.0, 0.0, 0.4], [0.2, 0.9, 0.6]])
RATE = 5.0
MISMATCH = {f"{effect}_mismatch": 0.3 for effect in ("tau", "gain", "offset", "read", "write")}
SIZES = (3, 2)


class Loop32:
    """A 3-2-3 loop as an ordinary differential equation, one case at a time.

        tau_v v' = -v + f(gain (B h + b - offset)),   tau_h h' likewise with A and a
        p' = (y - p) / tau_p                          of circuits and traces
        dB' = -pre post'                              of what is sensed

    The state is v, h, p_v, p_h, then the changes of A and of B, biases last.
    """

    def __init__(self, chip, tau, trace_ms, sensing, continuous=False):
        body = chip.design.substrate.body([chip.seed], chip.program)
        self.tau, self.trace_ms, self.sensing = tau, trace_ms, sensing
        self.gain, self.offset = body.gain[0], body.offset[0]
        self.read = [g[0] * w for g, w in zip(body.read_gain, chip.weights, strict=True)]
        self.share = [
            continuous * chip.design.rule.learning_rate * g[0] * w[0]
            for g, w in zip(body.read_gain, body.write_gain, strict=True)
        ]

    def run(self, case, phases):
        """Return the state after phases of (duration, clamped, moving groups, plastic)."""
        state = np.zeros(2 * sum(SIZES) + 8 + 9)
        for duration, clamped, moving, plastic in phases:
            if clamped:
                state[:3] = case
            arguments = (clamped, moving, plastic)
            solved = solve_ivp(
                self.slope, (0, duration), state, "DOP853", args=arguments, rtol=1e-12,
                atol=1e-14,
            )  # fmt: skip
            state = solved.y[:, -1]
        return state

    def slope(self, _, state, clamped, moving, plastic):
        y, p = state[:5], state[5:10]
        changes = state[10:18].reshape(2, 4), state[18:].reshape(3, 3)
        into_h, into_v = (
            w + s * c for w, s, c in zip(self.read, self.share, changes, strict=True)
        )
        x = np.concatenate(
            [into_v[:, :-1] @ y[3:] + into_v[:, -1], into_h[:, :-1] @ y[:3] + into_h[:, -1]]
        )
        target = 1 / (1 + np.exp(-self.gain * (x - self.offset)))
        moves = np.repeat([0 in moving, 1 in moving], SIZES)
        slope = np.where(moves, (target - y) / self.tau, 0)
        follows = moves | np.repeat([clamped, False], SIZES)
        lag = np.where(follows, (y - p) / (self.trace_ms or 1), 0) if self.trace_ms else 0 * y
        pre, post = {
            "exact": (y, slope), "circuit": (y, (y - p) / (self.trace_ms or 1)),
            "trace": (p, lag),
        }[self.sensing]  # fmt: skip
        learned = [
            -(k in plastic) * np.outer(post[to], [*pre[source], 1.0]).ravel()
            for k, (source, to) in enumerate(
                ((slice(0, 3), slice(3, 5)), (slice(3, 5), slice(0, 3)))
            )
        ]
        return np.concatenate([slope, lag, *learned])


UNGATED = {"tau_ms": 1.0, "tau_hidden_ms": 0.5, "clamp_ms": 4.0, "release_ms": 0.8}
FREE = [(4.0, True, (1,), ()), (0.8, False, (0, 1), (0, 1))]
T = math.log(1 / 0.6)  # of a gate, for tau_ms 1 and a regression of .6


def gated(combine):
    """Return (fields, rule, phases, tau, trace) of the gated loop, as its limits say."""
    slow, fast = 1.0, T / 8
    tau = {
        "PR": (fast, fast), "RCC": (slow, fast), "CCRCC": (slow, slow), "CCR": (fast, fast),
    }[combine]  # fmt: skip
    fields = {"form": "gated", "settling": 8.0, "clamp_ms": 5.0}
    phases = [(5.0, True, (1,), ()), (T, False, (0,), (1,)), (T, False, (1,), (0,))]
    return fields, {"combine": combine, "regression": 0.6}, phases, tau, combine == "CCR"


def fabricated(fields, rule=None):
    rule = Recirculation(**({"learning_rate": RATE} | (rule or {})))
    chip = Design(Loop(*SIZES), rule, Analog(**fields)).fabricate(11)
    chip.weights = [3 * matrix for matrix in chip.weights]  # where units are not linear
    return chip


def changes(ode, phases, cases=CASES):
    """Return the oracle's changes of both matrices, all cases together."""
    total = sum(ode.run(case, phases)[10:] for case in cases)
    return total[:8].reshape(2, 4), total[8:].reshape(3, 3)


def deviation(found, wanted):
    found, wanted = (np.concatenate([m.ravel() for m in part]) for part in (found, wanted))
    return np.linalg.norm(found - wanted) / np.linalg.norm(wanted)


def ungated_oracle(chip, sensing="exact", trace_ms=0.0, continuous=False):
    tau = chip.design.substrate.body([chip.seed], chip.program).tau_ms[0]
    return Loop32(chip, tau, trace_ms, sensing, continuous)


@pytest.mark.parametrize("backend", ["reference", "native"])
@pytest.mark.parametrize("sensing", ["exact", "circuit"])
def test_the_free_loop_of_a_mismatched_chip_is_integrated_to_a_millionth(sensing, backend):
    circuit = {"form": "derivative_circuit", "derivative_ms": 0.2}
    fields = (
        UNGATED | MISMATCH | {"integrator": "rk4"} | (circuit if sensing != "exact" else {})
    )
    chip = fabricated(fields)
    wanted = changes(ungated_oracle(chip, sensing, 0.2 * (sensing != "exact")), FREE)
    assert deviation(chip.weight_change(CASES, backend=backend), wanted) < 1e-6


@pytest.mark.parametrize("combine", ["PR", "RCC", "CCRCC", "CCR"])
def test_the_gated_loop_is_integrated_to_a_millionth(combine):
    fields, rule, phases, tau, traced = gated(combine)
    chip = fabricated(fields | {"integrator": "rk4"}, rule)
    ode = Loop32(chip, np.repeat(tau, SIZES), 1.0 * traced, "trace" if traced else "exact")
    assert deviation(chip.weight_change(CASES), changes(ode, phases)) < 1e-6


def after_one_case(chip):
    """Return how far each weight has gone after one case."""
    before, task = chip.weights, tasks.from_array(CASES[:1])
    chip.train(task, max_updates=1, batch_size=1, until="end", probes=False)
    return [now - then for now, then in zip(chip.weights, before, strict=True)]


def test_weights_that_follow_their_changes_are_integrated_to_a_millionth():
    fields = UNGATED | MISMATCH | {"integrator": "rk4", "plasticity": "continuous"}
    chip = fabricated(fields)
    ode = ungated_oracle(chip, continuous=True)
    body = chip.design.substrate.body([chip.seed], chip.program)
    wanted = changes(ode, FREE, CASES[:1])
    wanted = [
        RATE * gain[0] * change for gain, change in zip(body.write_gain, wanted, strict=True)
    ]
    fixed = changes(ungated_oracle(chip), FREE, CASES[:1])
    fixed = [
        RATE * gain[0] * change for gain, change in zip(body.write_gain, fixed, strict=True)
    ]
    found = after_one_case(chip)
    assert deviation(found, wanted) < 1e-6
    assert deviation(found, fixed) > 1e-3  # which that is not


@pytest.mark.parametrize(("rate", "steps"), [(5.0, 50), (40.0, 125)])
def test_fast_plasticity_needs_steps_finer_than_the_time_constants(rate, steps):
    # Weights that follow at a rate of 40 are faster than units: tau / 50 no longer does.
    fields = {
        "tau_ms": 1.0, "clamp_ms": 6.0, "release_ms": 0.2877, "integrator": "rk4",
        "plasticity": "continuous",
    }  # fmt: skip
    apart = []
    for dt_ms in (1 / 50, 1 / steps):
        chip = fabricated(fields | {"dt_ms": dt_ms}, {"learning_rate": rate})
        chip.weights = [matrix / 3 for matrix in chip.weights]  # as they are at the start
        phases = [(6.0, True, (1,), ()), (0.2877, False, (0, 1), (0, 1))]
        wanted = changes(ungated_oracle(chip, continuous=True), phases, CASES[:1])
        apart.append(deviation(after_one_case(chip), [rate * change for change in wanted]))
    assert apart[1] < 1e-6
    assert (apart[0] > 1e-6) == (rate == 40), apart


@pytest.mark.parametrize("plasticity", ["gathered", "continuous"])
@pytest.mark.parametrize("form", ["ungated", "derivative_circuit"])
@pytest.mark.parametrize(("integrator", "order"), [("heun", 2), ("rk4", 4)])
def test_halving_the_step_shows_the_order(integrator, order, form, plasticity):
    trace = 0.5 if form == "derivative_circuit" else 0.0
    apart = []
    for dt in (0.1, 0.05, 0.025):
        fields = UNGATED | {
            "form": form, "integrator": integrator, "plasticity": plasticity, "dt_ms": dt,
            "derivative_ms": 0.5,
        }  # fmt: skip
        chip = fabricated(fields)
        sensing = "circuit" if trace else "exact"
        ode = ungated_oracle(chip, sensing, trace, plasticity == "continuous")
        wanted = [RATE * change for change in changes(ode, FREE, CASES[:1])]
        apart.append(deviation(after_one_case(chip), wanted))
    orders = -np.diff(np.log2(apart))
    # The next term of the error is as much smaller again as the step is.
    assert order - 0.3 < orders[-1] < order + 0.6, apart


def test_the_recorded_activity_is_that_of_the_equations():
    chip = fabricated(UNGATED | MISMATCH | {"integrator": "rk4"})
    wanted = ungated_oracle(chip).run(CASES[0], FREE)
    trajectory = chip.record(CASES[0])
    found = np.concatenate([activity[-1] for activity in trajectory.activity.values()])
    np.testing.assert_allclose(found, wanted[:5], rtol=1e-6)
    assert trajectory.time_ms[-1] == pytest.approx(4.8)
