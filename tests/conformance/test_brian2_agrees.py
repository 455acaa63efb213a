"""Brian2 has the same spikes as the reference, given the same random numbers."""

import os

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

import recirc_hw as rh

brian2 = pytest.importorskip("brian2")
from recirc_hw.backends import brian2_net  # noqa: E402

SEVERAL = "several neurons, shunting clamp, long release"
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
    "kind", [k if k == "plain" else pytest.param(k, marks=pytest.mark.slow) for k in KINDS]
)
def test_brian2_in_numpy_has_the_same_spikes_and_weights(kind, numpy_target):
    agrees(design_of(kind))


@pytest.mark.slow
def test_brian2_in_numpy_runs_several_hidden_groups(numpy_target):
    agrees(design_of("plain", (5, 3, 2)))


@pytest.mark.slow
def test_brian2_in_cython_has_the_same_spikes_and_weights():
    brian2.prefs.codegen.target = "cython"
    agrees(design_of(SEVERAL))


@pytest.mark.slow
def test_brian2_in_standalone_cpp_has_the_same_spikes_and_weights():
    brian2.set_device("cpp_standalone", build_on_run=False)
    # Brian2's own choice is a compiler for every file at once.
    brian2.prefs["devices.cpp_standalone.extra_make_args_unix"] = [f"-j{os.cpu_count()}"]
    try:
        agrees(design_of(SEVERAL))
    finally:
        brian2.device.reinit()
        brian2.set_device("runtime")


@pytest.mark.slow
def test_brian2_with_its_own_noise_has_the_same_statistics(numpy_target):
    # 4 visible and 2 hidden units of 40 neurons over 2 x 120 steps, two chips: about 6000
    # spikes, whose count has a standard error below 1 %; the bound is eight of them.
    design = design_of(SEVERAL)
    design = design.replace("substrate.neurons", 40)
    counts = []
    for own_noise in (False, True):
        job = job_of(design)
        brian2_net.train(job, own_noise)
        counts.append(job.body.counters[..., 0].sum())
    assert abs(counts[1] / counts[0] - 1) < 0.08
    assert counts[0] != counts[1]


def test_what_brian2_cannot_do_is_refused_with_the_reason():
    ideal = rh.Design(rh.Loop(4, 2), rh.Recirculation()).fabricate(0)
    with pytest.raises(rh.UnsupportedError, match="brian2 backend runs spiking designs only"):
        ideal.reconstruct(np.eye(4), backend="brian2")
    held = rh.Spiking(device=rh.devices.Codes(bits=6))
    chip = rh.Design(rh.Loop(4, 2), rh.Recirculation(), held).fabricate(0)
    with pytest.raises(rh.UnsupportedError, match="cannot write devices between cases"):
        chip.reconstruct(np.eye(4), backend="brian2")
