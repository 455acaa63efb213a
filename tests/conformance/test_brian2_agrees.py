"""Brian2 has the same spikes as the reference, given the same random numbers."""

import numpy as np
import pytest
from spiking_jobs import (
    KINDS,
    answers,
    assert_same,
    design_of,
    job_of,
    outcome,
    reference_outcome,
)

brian2 = pytest.importorskip("brian2")
from recirc_hw.backends import brian2_net  # noqa: E402

QUICK = ("plain", "several neurons, shunting clamp, long release")
pytestmark = pytest.mark.filterwarnings("ignore")  # Brian2's own, of NumPy and Cython


def agrees(design):
    wanted, answered = reference_outcome(design)
    job = job_of(design)
    assert_same(outcome(brian2_net.train, job), wanted)
    np.testing.assert_array_equal(answers(brian2_net, design, job), answered)


@pytest.fixture
def numpy_target():
    before = brian2.prefs.codegen.target
    brian2.prefs.codegen.target = "numpy"
    yield
    brian2.prefs.codegen.target = before


@pytest.mark.parametrize(
    "kind", [k if k in QUICK[:1] else pytest.param(k, marks=pytest.mark.slow) for k in KINDS]
)
def test_brian2_in_numpy_has_the_same_spikes_and_weights(kind, numpy_target):
    agrees(design_of(kind))


@pytest.mark.slow
def test_brian2_in_numpy_runs_several_hidden_groups(numpy_target):
    agrees(design_of("plain", (5, 3, 2)))


@pytest.mark.slow
@pytest.mark.parametrize("kind", QUICK)
def test_brian2_in_cython_has_the_same_spikes_and_weights(kind):
    brian2.prefs.codegen.target = "cython"
    agrees(design_of(kind))


@pytest.mark.slow
def test_brian2_in_standalone_cpp_has_the_same_spikes_and_weights():
    brian2.set_device("cpp_standalone", build_on_run=False)
    try:
        agrees(design_of(QUICK[1]))
    finally:
        brian2.device.reinit()
        brian2.set_device("runtime")
