"""The door to the compiled core: whatever is wrong is refused, and nothing is overrun."""

from contextlib import suppress

import numpy as np
import pytest
from calls import KINDS, TILE, dtypes, isas, kinds, make, run, table_parts

from recirc_hw import Backprop, Design, Loop, RandomFeedback, Recirculation
from recirc_hw.backends import Job, Watch, _native, native
from recirc_hw.errors import (
    NativeBoundsError,
    NativeError,
    NativeInstructionSetError,
    NativeOpcodeError,
)

# -- status codes


@pytest.mark.parametrize(
    ("status", "kind"),
    [(-1, NativeOpcodeError), (-2, NativeBoundsError), (-3, NativeInstructionSetError)],
)
def test_every_status_has_an_exception_of_its_own(status, kind):
    assert issubclass(kind, NativeError)
    with pytest.raises(kind) as caught:
        _native.translate(status)
    assert len(str(caught.value)) > 20


def test_success_raises_nothing():
    _native.translate(0)


def test_no_status_is_without_an_exception():
    assert sorted(_native.STATUS) == [-3, -2, -1]
    with pytest.raises(KeyError):
        _native.translate(-4)


# -- calls that work


@isas
@dtypes
@kinds
def test_a_right_call_works_and_stays_inside_its_arrays(kind, dtype, isa):
    for rule in (Recirculation(), Backprop(momentum=0.5, norm_cap=0.3), RandomFeedback()):
        for network in (Loop(1, 1), Loop(5, 3), Loop(17, 9, 2)):
            _, table, call, guarded = make(kind, dtype, rule, network)
            before = call["weights"].copy()
            run(kind, table, call, isa)
            assert guarded.intact()
            assert call["watch"].updates.tolist() == [2] * call["chips"][1]
            assert not np.array_equal(call["weights"], before)
            assert call["error"].all()


# -- arrays that do not fit

ARRAYS = ["weights", "sums", "state", "cases", "order", "batch_ends", "error", "unit_error"]
WATCHED = ["updates", "crossed", "checked", "passed", "active"]
WRITTEN = ["weights", "sums", "state", "error", "unit_error", *WATCHED]


def with_array(call, name, change):
    """Return the call with one array, or one of the watch's, changed."""
    if name in WATCHED:
        setattr(call["watch"], name, change(getattr(call["watch"], name)))
    else:
        call[name] = change(call[name])
    return call


@kinds
@pytest.mark.parametrize("name", [*ARRAYS, *WATCHED])
@pytest.mark.parametrize("wrong", [np.float16, np.int16, np.complex128, object])
def test_an_array_of_the_wrong_type_is_refused(kind, name, wrong):
    _, table, call, guarded = make(kind)
    with pytest.raises(TypeError, match="want"):
        run(kind, table, with_array(call, name, lambda array: array.astype(wrong)))
    assert guarded.intact()


@pytest.mark.parametrize("name", ["weights", "sums", "state", "cases"])
def test_precisions_are_not_mixed(name):
    _, table, call, _ = make(dtype="float64")
    with pytest.raises(TypeError, match="want an array of"):
        run("lanes", table, with_array(call, name, lambda array: array.astype("f4")))


@pytest.mark.parametrize("name", ["weights", "sums", "state", "error", *WATCHED])
def test_what_is_no_array_is_refused(name):
    _, table, call, _ = make()
    with pytest.raises((TypeError, AttributeError)):
        run("lanes", table, with_array(call, name, lambda array: array.tolist()))


@pytest.mark.parametrize("name", [*ARRAYS, *WATCHED])
def test_an_array_with_gaps_is_refused(name):
    def gappy(array):
        return np.repeat(array, 2, axis=-1)[..., ::2]

    _, table, call, _ = make()
    with pytest.raises(ValueError, match="contiguous"):
        run("lanes", table, with_array(call, name, gappy))


@pytest.mark.parametrize("name", ["weights", "sums", "state", "cases", "order"])
def test_an_array_that_starts_inside_a_word_is_refused(name):
    def shifted(array):
        memory = np.zeros(array.nbytes + 1, np.uint8)
        return memory[1:].view(array.dtype).reshape(array.shape)

    _, table, call, _ = make()
    with pytest.raises(ValueError, match="aligned"):
        run("lanes", table, with_array(call, name, shifted))


@kinds
@pytest.mark.parametrize("name", WRITTEN)
def test_an_array_that_may_not_be_written_is_refused(kind, name):
    def locked(array):
        array.flags.writeable = False
        return array

    _, table, call, _ = make(kind)
    with pytest.raises(ValueError, match="can be written"):
        run(kind, table, with_array(call, name, locked))


@kinds
def test_arrays_that_are_only_read_may_be_locked(kind):
    _, table, call, _ = make(kind)
    for name in ("cases", "order", "batch_ends"):
        call[name].flags.writeable = False
    run(kind, table, call)


@isas
@dtypes
@kinds
@pytest.mark.parametrize("name", [*ARRAYS, *WATCHED])
def test_an_array_that_is_one_value_too_small_is_refused(kind, name, dtype, isa):
    # One column, row or value less; a case or an order less leaves an index outside.
    cut = {"cases": np.s_[:, :-1], "order": np.s_[:, :-1]}.get(name, np.s_[:-1])
    _, table, call, guarded = make(kind, dtype)
    call = with_array(call, name, lambda array: np.ascontiguousarray(array[cut]))
    if name == "batch_ends":  # one batch less is a shorter job
        call["batch_ends"] = np.zeros(0, np.int64)
    if name == "state":  # beside its slots there may be room for a last vector
        call["state"] = call["state"][: table["state_size"] * call["lanes"] - 1].copy()
    with pytest.raises((ValueError, NativeBoundsError)):
        run(kind, table, call, isa)
    assert guarded.intact()


@pytest.mark.parametrize("name", ["cases", "order"])
def test_a_table_of_one_dimension_is_refused(name):
    _, table, call, _ = make()
    with pytest.raises(ValueError, match="unpack"):
        run("lanes", table, with_array(call, name, np.ravel))


# -- orders and batches


@kinds
@pytest.mark.parametrize("wrong", [-1, 4, 2**40, -(2**63)])
def test_a_case_that_is_not_there_is_refused(kind, wrong):
    _, table, call, guarded = make(kind)
    for place in (0, -1):
        call["order"].flat[place] = wrong
        with pytest.raises(NativeBoundsError, match="reaches outside"):
            run(kind, table, call)
        call["order"].flat[place] = 0
    assert guarded.intact()
    run(kind, table, call)


@kinds
@pytest.mark.parametrize(
    "ends", [[0, 3], [3, 3], [4, 3], [-1, 3], [3, 7], [3, 2**62], [-(2**63), 3]]
)
def test_batch_ends_that_do_not_rise_inside_the_order_are_refused(kind, ends):
    _, table, call, guarded = make(kind)
    call["batch_ends"] = np.array(ends)
    with pytest.raises((NativeBoundsError, ValueError)):
        run(kind, table, call)
    assert guarded.intact()
    assert not call["error"].any()


def test_an_order_for_fewer_chips_is_refused():
    _, table, call, _ = make()
    call["order"] = np.zeros((2, 9), np.int64)
    with pytest.raises(ValueError, match="want at least 27 values, got 18"):
        run("lanes", table, call)


def test_a_batch_that_is_larger_than_the_state_is_refused():
    _, table, call, guarded = make("batch")
    call["order"], call["batch_ends"] = np.zeros((1, 11), np.int64), np.array([1, 11])
    with pytest.raises(NativeBoundsError):
        run("batch", table, call)
    assert guarded.intact()


@pytest.mark.parametrize("count", [0, -1])
def test_a_call_for_no_chip_is_refused(count):
    _, table, call, _ = make()
    call["chips"] = (0, count)
    with pytest.raises((NativeBoundsError, ValueError)):
        run("lanes", table, call)


def test_more_chips_than_lanes_are_refused():
    for kind in KINDS:
        _, table, call, guarded = make(kind)
        count = call["lanes"] + 1
        watch = Watch.start(count)
        call |= {"watch": watch, "chips": (0, count), "order": np.zeros((1, 6), np.int64)}
        call |= {name: np.zeros((count, 2)) for name in ("error", "unit_error")}
        with pytest.raises(NativeBoundsError):
            run(kind, table, call)
        assert guarded.intact()


@pytest.mark.parametrize("lanes", [-1, 0, 2, 7, 33, 2**40])
def test_a_number_of_lanes_that_no_walk_has_is_refused(lanes):
    _, table, call, _ = make()
    call["lanes"] = lanes
    with pytest.raises(NativeBoundsError):
        run("lanes", table, call)


def test_a_table_made_for_another_walk_is_refused_or_safe():
    for dtype in TILE:
        for mine in KINDS:
            for theirs in KINDS:
                program, table, call, guarded = make(mine, dtype)
                table = table_parts(program, theirs, dtype)
                with suppress(NativeError, ValueError):
                    run(mine, table, call)
                assert guarded.intact()


# -- instruction sets


@kinds
@pytest.mark.parametrize("isa", [-1, 3, 99, 2**31 - 1])
def test_an_unknown_instruction_set_is_refused(kind, isa):
    _, table, call, _ = make(kind)
    before = call["weights"].copy()
    with pytest.raises(NativeInstructionSetError, match="lacks the instruction set"):
        run(kind, table, call, isa)
    np.testing.assert_array_equal(call["weights"], before)


def test_an_unknown_instruction_set_is_refused_for_inference_too():
    program, table, call, _ = make("batch")
    with pytest.raises(NativeInstructionSetError):
        _native.forward(
            99, _native.Table(**table), call["weights"], call["cases"], call["state"]
        )


def test_the_backend_refuses_a_name_it_does_not_know():
    job = _job(Design(Loop(4, 2), Recirculation()))
    with pytest.raises((KeyError, ValueError)):
        native.train(job, isa="sse9")


# -- inference


def forward_call(dtype="float64"):
    _, table, call, guarded = make("batch", dtype)
    return table, [call[name] for name in ("weights", "cases", "state")], guarded


def test_inference_refuses_what_does_not_fit():
    table, (weights, cases, state), guarded = forward_call()
    made = _native.Table(**table)
    _native.forward(0, made, weights, cases, state)
    for wrong, error in [
        ((weights[:-1].copy(), cases, state), NativeBoundsError),
        ((weights, cases[:, :-1].copy(), state), NativeBoundsError),
        ((weights, cases, state[:-1].copy()), ValueError),
        ((weights, np.zeros((10, 5)), state), NativeBoundsError),
        ((weights, cases.astype("f4"), state), TypeError),
        ((weights, cases, state.astype("f4")), TypeError),
        ((weights.astype(int), cases, state), TypeError),
        ((weights, cases[:, ::-1], state), ValueError),
        ((weights, cases.ravel(), state), ValueError),
        ((weights[::-1], cases, state), ValueError),
    ]:
        with pytest.raises(error):
            _native.forward(0, made, *wrong)
    assert guarded.intact()


# -- the backend's own packing


def _job(design, n_chips=2):
    chips = [design.fabricate(seed) for seed in range(n_chips)]
    weights = [np.stack(m) for m in zip(*(c.matrices for c in chips), strict=True)]
    return Job(
        design.program, weights, [np.zeros_like(m) for m in weights], np.eye(4),
        np.arange(4)[None], np.array([4]), Watch.start(n_chips),
    )  # fmt: skip


def test_weights_with_gaps_are_packed_and_written_back():
    design = Design(Loop(4, 2), Recirculation())
    wanted, job = _job(design), _job(design)
    job.weights = [np.repeat(m, 2, axis=2)[:, :, ::2] for m in job.weights]
    native.train(wanted)
    native.train(job)
    for mine, theirs in zip(job.weights, wanted.weights, strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_an_error_in_one_of_the_threads_reaches_the_caller():
    job = _job(Design(Loop(4, 2), Recirculation()), n_chips=40)
    job.threads, job.order = 4, np.array([[0, 1, 2, 4]])
    with pytest.raises(NativeBoundsError):
        native.train(job)
