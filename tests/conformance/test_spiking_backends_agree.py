"""Reference, native and numba have the same spikes, and weights equal to 1e-12."""

from functools import partial

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

from recirc_hw.backends import native, numba_jit


@pytest.mark.parametrize("kind", KINDS)
def test_every_backend_and_instruction_set_has_the_same_spikes(kind):
    design = design_of(kind)
    wanted, answered = reference_outcome(design)
    for train in (*(partial(native.train, isa=isa) for isa in native.ISAS), numba_jit.train):
        assert_same(outcome(train, job_of(design)), wanted)
    for backend in (native, numba_jit):
        job = job_of(design)
        backend.train(job)
        np.testing.assert_array_equal(answers(backend, design, job), answered)


@pytest.mark.parametrize("sizes", [(1, 1), (5, 3, 2), (17, 9)])
def test_groups_of_any_size_and_number_agree(sizes):
    design = design_of("plain", sizes)
    wanted, answered = reference_outcome(design)
    job = job_of(design)
    assert_same(outcome(native.train, job), wanted)
    np.testing.assert_array_equal(answers(native, design, job), answered)
    assert_same(outcome(numba_jit.train, job_of(design)), wanted)


def test_spikes_do_not_depend_on_threads_or_company():
    design = design_of("plain")
    together = outcome(native.train, job_of(design, seeds=(3, 4, 5), threads=3))
    for place, seed in enumerate((3, 4, 5)):
        job = job_of(design, seeds=(seed,))
        job.order = job_of(design, seeds=(3, 4, 5)).order[place : place + 1]
        for name, values in outcome(native.train, job).items():
            np.testing.assert_array_equal(values[0], together[name][place], err_msg=name)


def test_a_training_in_two_calls_is_one_training():
    design = design_of("plain")
    whole, halves = job_of(design, batches=4), job_of(design, batches=4)
    wanted = outcome(native.train, whole)
    order = halves.order
    halves.batch_ends = halves.batch_ends[:2]
    for part in (order[:, :4], order[:, 4:]):
        halves.order = np.ascontiguousarray(part)
        found = outcome(native.train, halves)
    for name in (*(f"weights {k}" for k in range(2)), "potential", "slow", "counters"):
        np.testing.assert_array_equal(found[name], wanted[name], err_msg=name)
