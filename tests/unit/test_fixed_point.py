"""The fixed-point substrate: formats, tables, widths, what is refused and why."""

import numpy as np
import pytest

import recirc_hw as rh
from recirc_hw import Backprop, Design, DesignError, FixedPoint, Loop, Recirculation
from recirc_hw.programs.tables import digest, entries, extremes, rail_integer_bits, table_key
from recirc_hw.substrates.constants import memory_share, nearest_constant

PINNED = {
    (
        "logistic",
        "table",
        8,
        5,
    ): "1a219531ac685e4a6136eebc91c8dd33476a4e3816748369b07d85cafb654171",
    ("tanh", "table", 8, 5): "02eb2c7e41587a4940c9cea206b4c1ab63498f63b9dc881546585fdd0aa6521c",
    (
        "logistic",
        "table",
        12,
        6,
    ): "c519ef174c3b0cb23d5bb2a93099c46a8366d355ff04235a67d3636f6473f8d4",
    (
        "logistic",
        "plan",
        8,
        5,
    ): "117cdb7bbd618bbe10f683c619e4115ebb0e59155399196ada1a5260afdb18a4",
    ("tanh", "plan", 8, 5): "6f3156934b69183560af7038bee2a44e0e208c4bc805c260152a8d3191469ae6",
}


def small(**fields):
    return Design(Loop(4, 2), Recirculation(learning_rate=16), FixedPoint(**fields))


@pytest.mark.parametrize("key", PINNED)
def test_tables_are_the_ones_pinned(key):
    assert digest(table_key(*key, None)) == PINNED[key]


def test_tables_hold_samples_on_grid_points():
    for function, exact in (("logistic", lambda x: 1 / (1 + np.exp(-x))), ("tanh", np.tanh)):
        key = table_key(function, "table", 8, 5, None)
        x = np.arange(key.low, -key.low) / 32
        wanted = np.clip(256 * exact(x), -255, 255)
        assert np.abs(entries(key) - wanted).max() <= 0.5 + 1e-9
        assert entries(key)[-1] == 255


@pytest.mark.parametrize("bits", [2, 5, 8])
@pytest.mark.parametrize("form", ["table", "plan"])
@pytest.mark.parametrize("function", ["logistic", "tanh"])
def test_a_table_only_rises_from_its_lowest_code_to_its_highest(function, form, bits):
    for integer_bits in (None, 1):
        key = table_key(function, form, bits, 4, integer_bits)
        assert (np.diff(entries(key)) >= 0).all()
        assert extremes(key) == (entries(key)[0], entries(key)[-1])


def test_plan_is_close_to_the_logistic():
    key = table_key("logistic", "plan", 10, 0, None)
    x = np.arange(key.low, -key.low) / 1024
    assert np.abs(entries(key) / 1024 - 1 / (1 + np.exp(-x))).max() < 0.02


def test_tables_are_long_enough_to_reach_the_rail():
    assert [rail_integer_bits("logistic", bits) for bits in (4, 8, 12, 16)] == [3, 4, 5, 5]


@pytest.mark.parametrize("bits", range(2, 17))
def test_no_table_is_longer_than_it_takes_to_reach_both_rails(bits):
    for function, rails in (
        ("logistic", (0, 2**bits - 1)),
        ("tanh", (1 - 2**bits, 2**bits - 1)),
    ):
        needed = rail_integer_bits(function, bits)
        found = entries(table_key(function, "table", bits, 5, needed))
        assert (found[0], found[-1]) == rails
        shorter = entries(table_key(function, "table", bits, 5, needed - 1))
        assert (shorter[0], shorter[-1]) != rails


def test_a_table_whose_hash_does_not_match_is_refused():
    right = digest(FixedPoint().table("logistic"))
    small(table_sha256=right)
    with pytest.raises(DesignError, match=f"logistic table's SHA-256 is {right}"):
        small(table_sha256="0" * 64)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"weight_fraction_bits": 8}, "weight_fraction_bits = 8 leaves no sign bit"),
        ({"bias_fraction_bits": 9}, "bias_fraction_bits = 9 leaves no sign bit"),
        ({"weight_bits": 1}, "FixedPoint.weight_bits = 1"),
        ({"activity_bits": 40}, "FixedPoint.activity_bits = 40"),
        ({"rounding": "nearest"}, "FixedPoint.rounding = 'nearest'"),
        ({"table_fraction_bits": 12, "table_integer_bits": 12}, "2\\^24 entries"),
        ({"activation": "plan", "activity_bits": 14}, "2\\^18 entries"),
        ({"table_sha256": []}, r"table_sha256 = \(\): want one digest or more"),
        ({"weight_bits": (8, 8), "weight_fraction_bits": (3, 3, 3)}, r"\[2, 3\] matrices"),
        ({"weight_fraction_bits": (3, 3, 3)}, "3 weight formats for 2 weight matrices"),
    ],
)
def test_impossible_formats_are_refused_by_name(fields, message):
    with pytest.raises(DesignError, match=message):
        small(**fields)


def test_an_accumulator_too_narrow_is_refused_with_the_one_that_would_do():
    wide = Loop(784, 20)
    for bits in (33, 32, 16):
        with pytest.raises(DesignError, match="sum into hidden.*accumulator_bits = 34"):
            Design(wide, Recirculation(), FixedPoint(weight_bits=16, accumulator_bits=bits))
    Design(wide, Recirculation(), FixedPoint(weight_bits=16, accumulator_bits=34))


def test_sums_too_narrow_are_refused():
    with pytest.raises(DesignError, match="sum for .* 19 bits; what will do: sum_bits = 19"):
        small(sum_bits=18).lowered(4)
    assert small(sum_bits=19).lowered(4)
    g = small().widths(4)["sum for hidden>visible"]
    assert (g.low, g.high, g.bits) == (-262144, 262143, 19)


def test_signals_beyond_64_bits_are_refused():
    network = Loop(30, 20, 20, 20, 20)
    substrate = FixedPoint(weight_bits=32, weight_fraction_bits=3, activity_bits=16)
    with pytest.raises(DesignError, match="64 at most; what will do: weight_bits = "):
        Design(network, Backprop(learning_rate=1.0), substrate)


@pytest.mark.parametrize("field", ["momentum", "weight_decay", "norm_cap"])
def test_what_needs_a_multiplier_at_every_weight_is_refused(field):
    rule = Recirculation(**{field: 0.5})
    with pytest.raises(rh.UnsupportedError, match=f"rule.{field} = 0.5"):
        Design(Loop(4, 2), rule, FixedPoint())


def test_what_has_no_format_in_integers_is_refused():
    with pytest.raises(rh.UnsupportedError, match="an error's tolerance on a fixed-point chip"):
        Design(Loop(4, 2), Backprop(tolerance=0.2), FixedPoint())


def test_a_share_that_no_constant_comes_near_is_refused():
    with pytest.raises(DesignError, match="regression = 0.999"):
        Design(Loop(4, 2), Recirculation(regression=0.999), FixedPoint())


@pytest.mark.parametrize(
    ("share", "factor", "exponent"),
    [(0.75, 1, -2), (0.5, 1, -1), (1 - 2.0**-11, 1, -11), (0.9, 13, -7)],
)
def test_memory_shares_are_powers_of_two_or_eighths_of_a_byte(share, factor, exponent):
    assert (memory_share(share).factor, memory_share(share).exponent) == (factor, exponent)


def test_learning_rates_are_the_nearest_that_the_bits_allow():
    assert str(nearest_constant(16, 8)) == "2^4"
    assert nearest_constant(20, 8).value == 20
    assert nearest_constant(20, 1).value == 16
    assert nearest_constant(0.01, 8).value == 164 / 2**14
    assert nearest_constant(0, 8).value == 0


def test_widths_say_which_rate_is_realised():
    rule = Recirculation(learning_rate=0.01)
    text = str(Design(Loop(4, 2), rule, FixedPoint()).widths())
    assert "rate 0.01 was asked for; 0.0100098 is the nearest with a factor of 8 bits" in text


def test_widths_say_which_lambda_is_realised_and_for_which_batch():
    text = str(Design(Loop(4, 2), Recirculation(regression=0.7), FixedPoint()).widths(4))
    assert text.startswith("for batches of 4 cases:")
    assert "lambda 0.7 was asked for; 0.69921875 is what the chip keeps" in text
    plain = small().widths()
    assert "lambda" not in str(plain)
    assert str(plain).startswith("for batches of 1 case:")
    assert plain.record()["batch_size"] == 1


def carrying(matrix, function=None, feedback=None):
    """Return the integer program of a rule that sends a difference through a matrix."""

    def rule(build, network):
        slots = network.first_pass(build)
        with build.learning():
            error = build.subtract(slots[0], slots[-1])
            if feedback:
                build.feedback(feedback, 2, 4)
            if function:
                build.project(matrix, error, function=function, name="sent")
            else:
                build.carry(matrix, error, name="sent")

    network = Loop(4, 2, visible="identity", hidden=("logistic" if function else "identity",))
    substrate = FixedPoint(weight_bits=(8, 6), weight_fraction_bits=(3, 1))
    design = Design(network, rh.CustomRule(rule), substrate)
    program = design.lowered()
    names = [slot.name for slot in program.layout.slots]
    op = next(op for op in program.ops if op.dst == names.index("sent"))
    return design, program, op


def test_an_error_carried_to_identity_units_is_not_clipped_as_a_unit():
    _, program, op = carrying("visible>hidden")
    assert not op.clips
    assert program.layout.slots[op.dst].fraction_bits == 12  # an error's: activity bits + 4


def test_a_projection_without_response_is_a_unit_of_identity():
    _, program, op = carrying("visible>hidden", function="identity")
    assert (op.low, op.high) == (-1023, 1023)
    assert program.layout.slots[op.dst].fraction_bits == 8


@pytest.mark.parametrize(
    ("name", "bits"),
    [("mine", 8), ("visible>hidden feedback", 8), ("hidden>visible feedback", 6)],
)
def test_feedback_has_the_format_of_the_matrix_it_is_named_after_else_of_the_first(name, bits):
    design, _, _ = carrying(name, feedback=name)
    assert f"{name}: weights of {bits} bits" in str(design.widths())


def test_widths_show_every_signal_with_its_bound():
    widths = small().widths(4)
    assert widths["sum into hidden"].bits == 19
    assert (widths["hidden"].low, widths["hidden"].high) == (0, 255)
    assert widths["visible change"].bits == 9
    with pytest.raises(rh.UnsupportedError, match="only FixedPoint"):
        Design(Loop(4, 2), Recirculation()).widths()


def test_the_wide_path_takes_the_difference_before_the_blend():
    wide, narrow = small().lowered(), small(wide=False).lowered()
    matrix = wide.layout.matrices[0]
    assert matrix.shift == narrow.layout.matrices[0].shift + 2
    assert sum(op.opcode == "combine" for op in wide.ops) == 3
    assert sum(op.opcode == "combine" for op in narrow.ops) == 4


def test_a_mean_is_folded_into_the_rate():
    rule = Recirculation(learning_rate=1.0, batch="mean")
    design = Design(Loop(4, 2), rule, FixedPoint())
    assert design.lowered(4).layout.matrices[0].rate == 0.25
    assert design.lowered(100).layout.matrices[0].rate == 164 / 2**14


def test_fixed_point_designs_survive_a_design_file():
    design = small(weight_bits=(8, 6), weight_fraction_bits=(7, 2), rounding="stochastic")
    assert Design.from_toml(design.to_toml()) == design


def test_weights_outside_the_format_are_refused_by_name():
    chip = small().fabricate(0)
    weights = chip.weights
    chip.weights = weights
    weights[1][2, 0] = 16.0
    with pytest.raises(
        ValueError, match=r"weights of 'hidden>visible': 16 is outside -16\.\.15"
    ):
        chip.weights = weights


def test_stored_codes_outside_the_format_are_refused_by_name():
    run = small(weight_bits=6).fabricate(0).train(rh.tasks.encoder(4), max_updates=3)
    run.chip()
    run.weights[0][0, 0] = 100
    with pytest.raises(ValueError, match="'visible>hidden': codes .*100 are outside -32..31"):
        run.chip()


def test_weights_read_back_as_multiples_of_a_step():
    design = small(weight_bits=8, weight_fraction_bits=(7, 3), bias_fraction_bits=(3, 3))
    hidden, visible = design.fabricate(1).weights
    assert np.array_equal(hidden[:, :-1] * 128, np.round(hidden[:, :-1] * 128))
    assert np.array_equal(hidden[:, -1] * 8, np.round(hidden[:, -1] * 8))
    assert np.array_equal(visible * 8, np.round(visible * 8))


def test_cases_and_answers_use_the_whole_range_of_codes():
    design = small()
    codes = design.substrate.encode(np.array([[0, 1, 0.5, 2 / 255]]), design.network)
    assert codes.tolist() == [[0, 255, 128, 2]]
    answers = design.fabricate(0).reconstruct(np.eye(4))
    assert np.array_equal(answers * 255, np.round(answers * 255))


def test_counters_are_in_the_run_and_its_record():
    run = small(rounding="half_even").fabricate(0).train(rh.tasks.encoder(4), max_updates=50)
    counters = run.record()["counters"]["visible>hidden"]
    assert set(counters) == {
        "saturated_weights", "clipped_indices", "asked_updates", "dead_updates",
    }  # fmt: skip
    assert 0 < counters["dead_updates"] <= counters["asked_updates"] <= 10 * 50
    assert (
        Design(Loop(4, 2), Recirculation())
        .fabricate(0)
        .train(rh.tasks.encoder(4), max_updates=2)
        .counters
        is None
    )


def test_training_in_two_halves_is_training_in_one():
    halves, whole = (small(rounding=r).fabricate(5) for r in ("stochastic", "stochastic"))
    task = rh.tasks.encoder(4)
    for _ in range(2):
        halves.train(task, max_updates=15, until="end")
    whole.train(task, max_updates=30, until="end")
    for a, b in zip(halves.matrices, whole.matrices, strict=True):
        assert np.array_equal(a, b)
    carried, whole = small().fabricate(5), small().fabricate(5)
    for _ in range(2):
        carried.train(task, max_updates=15, until="end")
    whole.train(task, max_updates=30, until="end")
    for a, b in zip(carried.matrices + carried.sums, whole.matrices + whole.sums, strict=True):
        assert np.array_equal(a, b)


def test_the_numba_backend_refuses_floats():
    with pytest.raises(rh.UnsupportedError, match="continuous-time designs only"):
        Design(Loop(4, 2), Recirculation()).fabricate(0).train(
            rh.tasks.encoder(4), backend="numba"
        )


@pytest.mark.parametrize(("cycles", "kept"), [(1, 10), ((1, 2), 10), (2, 8), (3, 8)])
def test_hidden_differences_are_wide_where_old_is_what_the_blend_kept(cycles, kept):
    design = Design(Loop(4, 2), Recirculation(cycles=cycles), FixedPoint())
    changes = [s for s in design.lowered().layout.slots if s.name.endswith("change")]
    assert [slot.fraction_bits for slot in changes] == [10, kept]


def dark_pixels(**fields):
    """Return one chip whose output biases start at the logit of the mean image."""
    network = Loop(64, 4, output_bias="data_mean")
    return Design(network, Recirculation(learning_rate=0.125), FixedPoint(**fields)).fabricate(
        0
    )


def test_a_start_at_the_mean_that_the_bias_format_cuts_off_is_warned_of():
    # The darkest pixel of 1437 digits: logit of .5 / 1438 is -7.96.
    words = (
        r"a bias of 'hidden>visible' is to start at -7.96, but with 8 bits, 5 of fraction, the "
        r"least is -4; want 3 integer bits: bias_fraction_bits = 4$"
    )
    with pytest.warns(UserWarning, match=words) as caught:
        dark_pixels(weight_fraction_bits=5).train(rh.tasks.digits(), max_updates=1)
    assert len(caught) == 1
    dark_pixels(weight_fraction_bits=5, bias_fraction_bits=4).train(
        rh.tasks.digits(), max_updates=1
    )
    words = "3 bits, 0 of fraction, the least is -4; want 3 integer bits: weight_bits = 4, with"
    with pytest.warns(UserWarning, match=words):
        dark_pixels(weight_bits=3, weight_fraction_bits=0).train(
            rh.tasks.digits(), max_updates=1
        )


@pytest.mark.parametrize(("activity_bits", "warned"), [(8, False), (12, True)])
def test_a_bias_cut_off_that_changes_no_code_is_not_warned_of(activity_bits, warned):
    # Half of -14: 2^8 / (1 + e^7) is .23 of a code, 2^12 / (1 + e^7) is 3.7 of them.
    chip = dark_pixels(weight_bits=5, weight_fraction_bits=1, activity_bits=activity_bits)
    matrix = chip.program.layout.matrices[1]
    found = chip.design.substrate.start_cautions(np.full(64, -14.0), matrix, "logistic")
    assert bool(found) == warned
    assert not chip.design.substrate.start_cautions(np.full(64, -7.9), matrix, "logistic")


def test_the_bias_of_an_identity_unit_is_missed_wherever_it_is_cut_off():
    chip = dark_pixels(weight_bits=5, weight_fraction_bits=4)
    matrix = chip.program.layout.matrices[1]
    caution = chip.design.substrate.start_cautions
    (words,) = caution(np.linspace(0, 1.2, 64), matrix, "identity")
    assert words.endswith("the largest is 0.9375; want 1 integer bit: bias_fraction_bits = 3")
    assert not caution(np.linspace(-1, 0.96, 64), matrix, "identity")


def test_the_format_that_a_cut_off_bias_is_told_of_holds_it():
    chip = dark_pixels(weight_bits=4, weight_fraction_bits=0, identity_integer_bits=4)
    matrix = chip.program.layout.matrices[1]  # 7 and -8 at most
    (words,) = chip.design.substrate.start_cautions(np.full(64, 7.6), matrix, "identity")
    assert words.endswith("the largest is 7; want 4 integer bits: weight_bits = 5, with none "
                          "of fraction")  # fmt: skip


def test_a_bias_beyond_the_table_s_reach_is_not_missed():
    chip = dark_pixels(weight_fraction_bits=5, table_integer_bits=3)  # both end at +-4
    matrix = chip.program.layout.matrices[1]
    assert not chip.design.substrate.start_cautions(np.full(64, -7.96), matrix, "logistic")


def test_errors_of_no_code_are_refused():
    with pytest.raises(ValueError, match="error_integer_bits = 0 and error_fraction_bits = 0"):
        FixedPoint(error_integer_bits=0, error_fraction_bits=0)
    FixedPoint(error_integer_bits=0, error_fraction_bits=1)
