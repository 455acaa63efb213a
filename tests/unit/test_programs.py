"""Programs as data: what the builder emits, refuses, and prints."""

import numpy as np
import pytest

from recirc_hw import Builder, DesignError, Loop, Recirculation
from recirc_hw.backends import reference
from recirc_hw.networks import Group
from recirc_hw.programs import FUNCTIONS, OPCODES, Op, WritePolicy


@pytest.fixture
def build():
    return Builder(Loop(4, 2))


def test_an_operation_goes_by_what_it_is_for():
    assert Op("project", function="logistic").mnemonic == "project"
    assert Op("project", bias=False).mnemonic == "project"
    assert Op("project", bias=False, carries=True).mnemonic == "carry"
    assert Op("project", function="tanh", bias=False).mnemonic == "project"
    assert Op("combine", gains=(2.0, -2.0)).mnemonic == "subtract"
    assert Op("combine", gains=(0.75, 0.25)).mnemonic == "blend"
    assert Op("gate").mnemonic == "gate"


def test_opcodes_and_functions_keep_their_numbers():
    # csrc/recirc_hw.h counts them in this order.
    assert list(OPCODES.items()) == list(
        zip(
            ("clamp", "project", "combine", "gate", "correlate", "write"), range(6), strict=True
        )
    )
    assert FUNCTIONS == {"identity": 0, "logistic": 1, "tanh": 2, "deadzone": 3}


def test_a_program_lists_writes_last_and_keeps_the_order_of_the_rest(build):
    slots = build.network.first_pass(build)
    build.write("visible>hidden")
    error = build.subtract(slots[0], slots[-1])
    build.correlate("hidden>visible", error, slots[1])
    program = build.program("test", {"visible>hidden": WritePolicy(0.5)})
    assert [op.opcode for op in program.ops] == [
        "clamp", "project", "project", "combine", "correlate", "write"
    ]  # fmt: skip
    assert [op.opcode for op in program.batch_ops] == ["write"]
    assert len(program.case_ops) == 5
    assert program.without_writes().ops == program.case_ops


def test_operations_are_marked_as_inference_or_learning(build):
    slots = build.network.first_pass(build)
    with build.learning():
        error = build.subtract(slots[0], slots[-1])
    build.subtract(slots[0], slots[-1])
    with build.learning():
        build.correlate("hidden>visible", error, slots[1])
    marks = [op.learning for op in build.program("test").ops]
    assert marks == [False, False, False, True, False, True]


def test_only_a_written_matrix_has_a_policy(build):
    build.network.first_pass(build)
    build.write("hidden>visible")
    policies = {m.name: WritePolicy(0.5) for m in build.network.matrices}
    first, second = build.program("test", policies).layout.matrices
    assert first.policy is None
    assert second.policy == WritePolicy(0.5)


def test_slots_lie_one_after_another_and_names_are_never_shared(build):
    slots = [build.slot("a", 2), build.slot("a", 3), build.slot("a", 1)]
    assert [slot.name for slot in slots] == ["a", "a'", "a''"]
    assert [slot.offset for slot in slots] == [0, 2, 5]


def test_equal_programs_are_equal_and_hash_alike():
    first, second = (Recirculation().compile(Loop(4, 2)) for _ in range(2))
    assert first == second
    assert hash(first) == hash(second)
    assert first.fingerprint == second.fingerprint
    other = Recirculation(regression=0.5).compile(Loop(4, 2))
    assert first != other
    assert first.fingerprint != other.fingerprint
    rate = Recirculation(learning_rate=19.0).compile(Loop(4, 2))
    assert first.fingerprint != rate.fingerprint


def test_layouts_find_matrices_by_name():
    layout = Recirculation().compile(Loop(4, 2)).layout
    assert [layout.matrix_index(m.name) for m in layout.matrices] == [0, 1]


def test_a_listing_says_what_each_operation_does():
    lines = str(Recirculation(batch="mean", momentum=0.5).compile(Loop(4, 2))).splitlines()
    assert lines[0] == "Recirculation on Loop(4, 2): 12 operations, 3 of them inference"
    text = "\n".join(" ".join(line.split()) for line in lines)
    assert "0 inference clamp visible <- case[0:4]" in text
    assert "1 inference project hidden <- logistic((visible>hidden) visible + bias)" in text
    assert "0.75 visible + 0.25 output" in text
    assert "subtract" in text
    assert "write visible>hidden <- rate 20 x mean over the batch, momentum 0.5" in text
    assert len(lines) == 13


def test_a_listing_shows_gains_transposes_gates_decay_and_caps(build):
    slots = build.network.first_pass(build)
    error = build.subtract(slots[0], slots[-1], gain=2.0, name="error")
    back = build.carry("hidden>visible", error, transposed=True)
    build.correlate("visible>hidden", build.gate(back, slots[1], "logistic"), slots[0])
    build.write("visible>hidden")
    policy = WritePolicy(1.0, decay=0.125, norm_cap=2.0)
    text = str(build.program("test", {"visible>hidden": policy}))
    for part in (
        "2 (visible - output)",
        "(hidden>visible)^T error",
        "* logistic'(hidden)",
        "(x) visible",
        "decay 0.125",
        "norm cap 2",
    ):
        assert part in text, part


# -- refusals


def test_a_slot_of_the_wrong_size_is_refused(build):
    visible, hidden, output = build.network.first_pass(build)
    for refused, message in [
        (lambda: build.project("visible>hidden", hidden), "4 values are wanted.* holds 2"),
        (lambda: build.carry("visible>hidden", hidden), "4 values are wanted.* holds 2"),
        (lambda: build.carry("visible>hidden", visible, transposed=True), "2 .* holds 4"),
        (lambda: build.blend(visible, hidden, 0.5), "blend: 4 .* holds 2"),
        (lambda: build.subtract(visible, hidden), "subtract: 4 .* holds 2"),
        (lambda: build.gate(visible, hidden, "tanh"), "gate: 4 .* holds 2"),
        (lambda: build.correlate("visible>hidden", visible, visible), "post: 2 .* holds 4"),
        (lambda: build.correlate("visible>hidden", hidden, hidden), "pre: 4 .* holds 2"),
        (lambda: build.monitor(visible, hidden), "monitor: 4 .* holds 2"),
    ]:
        with pytest.raises(DesignError, match=message):
            refused()


def test_a_clamp_beyond_the_case_is_refused(build):
    beyond = Group("hidden", 2, "logistic", case_offset=3)
    with pytest.raises(DesignError, match=r"'hidden': values 3\.\.5 of a case, which has 4"):
        build.clamp(beyond)


def test_an_unknown_matrix_is_refused_with_the_nearest_name(build):
    visible = build.clamp(build.network.groups[0])
    with pytest.raises(DesignError, match="did you mean 'visible>hidden'.*hidden>visible"):
        build.project("visible>hiden", visible)
    with pytest.raises(DesignError, match="no matrix 'x'"):
        build.write("x")


def test_an_unknown_function_is_refused_with_the_nearest_name(build):
    visible = build.clamp(build.network.groups[0])
    with pytest.raises(DesignError, match="'logistics' is unknown, did you mean 'logistic'"):
        build.project("visible>hidden", visible, function="logistics")


def test_an_unknown_slope_is_refused_where_the_program_is_built(build):
    visible = build.clamp(build.network.groups[0])
    with pytest.raises(DesignError, match="'relu' is unknown"):
        build.gate(visible, visible, "relu")


@pytest.mark.parametrize(
    "share", [float("nan"), float("inf"), -0.01, 1.01, "0.5", None, True, 0.5j, np.zeros(2)]
)
def test_a_share_that_no_memory_has_is_refused(build, share):
    visible = build.clamp(build.network.groups[0])
    with pytest.raises(DesignError, match=r"blend: share = .*: want a number in 0\.\.1"):
        build.blend(visible, visible, share)


@pytest.mark.parametrize("gain", [float("nan"), float("-inf"), "2", None, True, 1j])
def test_a_gain_that_is_no_finite_number_is_refused(build, gain):
    visible = build.clamp(build.network.groups[0])
    with pytest.raises(DesignError, match="subtract: gain = .*: want a finite number"):
        build.subtract(visible, visible, gain)


def test_shares_at_both_ends_and_any_finite_gain_are_taken(build):
    visible = build.clamp(build.network.groups[0])
    build.monitor(visible, visible)
    for share in (0, 1, np.float32(0.5)):
        build.blend(visible, visible, share)
    build.subtract(visible, visible, -1e300)
    gains = [op.gains for op in build.program("test").ops[1:]]
    assert gains == [(0.0, 1.0), (1.0, 0.0), (0.5, 0.5), (-1e300, 1e300)]
    assert {type(gain) for pair in gains for gain in pair} == {float}


def test_a_second_feedback_matrix_of_one_name_is_refused(build):
    build.feedback("back", 2, 4)
    with pytest.raises(DesignError, match="'back'"):
        build.feedback("back", 2, 4)


def test_a_program_without_a_monitor_is_refused(build):
    build.clamp(build.network.groups[0])
    with pytest.raises(DesignError, match="no monitor"):
        build.program("test")


def test_a_slot_of_another_builder_is_refused(build):
    stranger = Builder(Loop(4, 2)).clamp(build.network.groups[0], name="stranger")
    with pytest.raises(DesignError, match="stranger"):
        build.project("visible>hidden", stranger)


def test_an_operation_of_size_one_computes():
    build = Builder(Loop(1, 1))
    slots = build.network.first_pass(build)
    weights = [np.array([[2.0, 0.5]]), np.array([[-1.0, 0.0]])]
    state = reference.compute(build.program("test"), weights, np.array([[0.25]]))
    hidden = 1 / (1 + np.exp(-1.0))
    assert len(slots) == 3
    np.testing.assert_allclose(state[0], [0.25, hidden, 1 / (1 + np.exp(hidden))], rtol=1e-15)


def test_neighbouring_slots_are_joined_and_taken_apart_without_an_operation(build):
    sizes = {"a": 2, "b": 0, "c": 3}
    first, second, third = (build.slot(name, size) for name, size in sizes.items())
    whole = build.join([first, second, third], "abc")
    assert (whole.offset, whole.size) == (first.offset, 5)
    assert build.part(whole, 2, 3, "again") == third
    assert build.part(whole, 0, 5, "again") == whole
    assert build.part(whole, 1, 2, "middle").offset == first.offset + 1
    with pytest.raises(DesignError, match="join c, a: they must lie side by side"):
        build.join([third, first], "backwards")
    with pytest.raises(DesignError, match="part 4..6 of 'abc': it holds 5 values"):
        build.part(whole, 4, 2, "beyond")


def test_listings_tell_what_is_added_and_what_is_ignored(build):
    slots = build.network.first_pass(build)
    error = build.subtract(slots[0], slots[-1], name="error")
    build.add(error, build.ignore_small(error, 0.2), name="both")
    listing = str(build.program("p"))
    lines = [" ".join(line.split()[2:]) for line in listing.splitlines()]
    assert "add both <- error + error beyond 0.2" in lines
    assert "gate error beyond 0.2 <- error, 0 up to 0.2" in lines
