"""Yields, limits and ablations: small real chips, and chips of known yield."""

import json
import os
import re
import signal

import numpy as np
import pytest

import recirc_hw as rh
from recirc_hw.fields import Fields
from recirc_hw.reports import study_report
from recirc_hw.studies import outcomes
from recirc_hw.studies.vary import Place, design_with

TASK = rh.tasks.encoder(4)
CHIP = rh.Design(rh.Loop(4, 2), rh.Recirculation(learning_rate=16.0), rh.FixedPoint())
SHORT = {"max_updates": 500}


# -- yields ------------------------------------------------------------------------------


def test_a_yield_counts_the_chips_of_one_plain_training():
    found = rh.learning_yield(CHIP, TASK, chips=70, seed=5, max_updates=60)
    runs = rh.train([CHIP.fabricate(5 + i) for i in range(70)], TASK, max_updates=60)
    assert found.learned == sum(run.learned for run in runs)
    assert found.held_share == sum(run.held for run in runs) / 70
    learned = [run.updates for run in runs if run.learned]
    assert found.updates["mean"] == np.mean(learned)
    assert found.updates["median"] == np.median(learned)
    assert found.outcomes.error.tolist() == [run.error for run in runs]
    assert (found.seed, found.chips) == (5, 70)


def test_a_yield_is_the_same_in_any_number_of_batches_and_threads(monkeypatch):
    whole = rh.learning_yield(CHIP, TASK, chips=40, threads=1, **SHORT)
    monkeypatch.setattr(outcomes, "LARGEST_BATCH", 7)
    parts = rh.learning_yield(CHIP, TASK, chips=40, threads=2, **SHORT)
    assert whole.outcomes.to_bytes() == parts.outcomes.to_bytes()


def test_a_fixed_number_of_chips_has_wilson_s_interval():
    found = rh.learning_yield(CHIP, TASK, chips=50, max_updates=40)
    expected = rh.metrics.wilson_interval(found.learned, 50)
    assert found.interval == pytest.approx(expected, abs=1e-12)
    assert found.looks == 1


def test_a_clear_question_takes_few_chips():
    clear = rh.learning_yield(CHIP, TASK, chips=10_000, decide=0.5, **SHORT)
    assert clear.verdict == "above"
    assert clear.chips == 25
    low = rh.learning_yield(CHIP, TASK, chips=10_000, decide=0.5, max_updates=5)
    assert (low.verdict, low.chips) == ("below", 25)
    narrow = rh.learning_yield(CHIP, TASK, chips=10_000, width=0.1, **SHORT)
    assert narrow.interval[1] - narrow.interval[0] <= 0.1
    assert narrow.chips < 400


def test_what_json_takes_tells_a_yield():
    found = rh.learning_yield(CHIP, TASK, chips=10, max_updates=5)
    record = json.loads(json.dumps(found.summary(), allow_nan=False))
    assert record["learned"] == 0
    assert record["updates"]["mean"] is None
    assert repr(found).startswith("Yield(0, interval=(0.000, ")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"chips": 0}, "chips"), ({"decide": 1.5}, "decide = 1.5"), ({"width": 0}, "width = 0"),
        ({"confidence": 1.0}, "confidence = 1.0"), ({"seed": -1}, "seed"),
        ({"max_updates": 0}, "max_updates"), ({"backend": "nativ"}, "did you mean 'native'"),
    ],
)  # fmt: skip
def test_wrong_arguments_of_a_yield_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        rh.learning_yield(CHIP, TASK, **options)


def test_ctrl_c_keeps_the_chips_that_were_done(monkeypatch):
    monkeypatch.setattr(outcomes, "LARGEST_BATCH", 16)

    def train(chips, task, **options):
        if chips[0].seed == 32:
            options["progress"] = lambda *_: os.kill(os.getpid(), signal.SIGINT)
        return rh.train(chips, task, **options)

    with monkeypatch.context() as patch:
        patch.setattr(outcomes, "train", train)
        found = rh.learning_yield(CHIP, TASK, chips=100, **SHORT)
    assert found.interrupted
    assert found.chips == 32
    assert found.share == rh.learning_yield(CHIP, TASK, chips=32, **SHORT).share


def test_a_ctrl_c_that_comes_too_late_for_a_training_still_ends_the_study(monkeypatch):
    def train(chips, task, **options):
        runs = rh.train(chips, task, **options)
        os.kill(os.getpid(), signal.SIGINT)
        return runs

    monkeypatch.setattr(outcomes, "train", train)
    found = rh.learning_yield(CHIP, TASK, chips=100, **SHORT)
    assert found.interrupted
    assert found.chips == 32
    assert rh.find_limit(CHIP, "substrate.weight_bits", TASK, stop=5, **SHORT).interrupted
    with pytest.raises(KeyboardInterrupt):
        rh.ablate(CHIP, TASK, **SHORT)


# -- limits ------------------------------------------------------------------------------


def rate(design):
    return design.rule.learning_rate


def test_a_limit_lies_in_its_interval(known):
    known(lambda design: 1.0 if rate(design) <= 33.3 else 0.4)
    found = rh.find_limit(
        CHIP, "rule.learning_rate", TASK, start=1.0, stop=65.0, scale="linear"
    )
    assert found.interval[0] <= 33.3 <= found.interval[1]
    assert found.interval[1] - found.interval[0] <= 0.02 * 64
    assert found.value == found.interval[0]
    assert found.monotone
    assert found.notes == ()


def test_chips_go_where_the_decision_is_hard(known):
    trained = known(lambda design: 1 / (1 + np.exp((rate(design) - 40) / 4)))
    found = rh.find_limit(
        CHIP, "rule.learning_rate", TASK, start=1.0, stop=81.0, at_least=0.5, chips=3000
    )
    assert found.interval[0] <= 40 <= found.interval[1]
    by_value = {point.value: point.found.chips for point in found.curve}
    assert by_value[1.0] == by_value[81.0] == 25
    hardest = max(by_value, key=by_value.get)
    assert abs(hardest - 40) < 2
    assert sum(trained.values()) == found.chips_used


@pytest.mark.parametrize(("start", "stop"), [(16, 2), (2, 16)])
def test_whole_numbers_are_searched_to_the_last(known, start, stop):
    for limit in range(3, 16):

        def holds(design, limit=limit):
            bits = design.substrate.weight_bits
            return 1.0 if (bits >= limit if start > stop else bits <= limit) else 0.0

        known(holds)
        design = CHIP.replace("substrate.weight_fraction_bits", 0)
        found = rh.find_limit(design, "substrate.weight_bits", TASK, start=start, stop=stop)
        assert found.value == limit
        assert found.interval == (limit, limit)


def test_a_wide_positive_range_is_searched_on_a_log_scale(known):
    known(lambda design: 1.0 if rate(design) <= 0.02 else 0.0)
    found = rh.find_limit(CHIP, "rule.learning_rate", TASK, start=0.001, stop=100.0)
    assert found.interval[0] <= 0.02 <= found.interval[1]
    assert found.interval[1] / found.interval[0] < 1.3


def test_a_yield_that_rises_again_is_told(known):
    known(lambda design: 0.0 if 20 < rate(design) < 40 else 1.0)
    found = rh.find_limit(CHIP, "rule.learning_rate", TASK, start=10.0, stop=50.0)
    assert not found.monotone
    assert found.interval[0] <= 20 <= found.interval[1]
    assert any("more than one limit" in note for note in found.notes)


def test_a_range_that_holds_throughout_or_nowhere_is_told(known):
    known(lambda design: 1.0)
    found = rh.find_limit(CHIP, "rule.learning_rate", TASK, start=1.0, stop=2.0)
    assert (found.value, found.interval) == (2.0, (2.0, 2.0))
    assert "over the whole range" in found.notes[0]
    known(lambda design: 0.0)
    found = rh.find_limit(CHIP, "rule.learning_rate", TASK, start=1.0, stop=2.0)
    assert (found.value, found.interval) == (None, (None, 1.0))
    assert "not even 1 holds" in found.notes


def test_what_stays_undecided_widens_the_interval(known):
    known(lambda design: 0.5 if 20 < rate(design) < 30 else float(rate(design) <= 20))
    found = rh.find_limit(
        CHIP, "rule.learning_rate", TASK, start=10.0, stop=50.0, at_least=0.5, chips=100
    )
    assert found.interval[0] <= 20
    assert found.interval[1] >= 30
    assert any("undecided after 100 chips" in note for note in found.notes)


def test_too_few_chips_to_ever_decide_are_told(known):
    known(lambda design: 1.0)
    found = rh.find_limit(CHIP, "rule.learning_rate", TASK, start=1.0, stop=2.0, chips=50)
    assert found.interval == (None, None)
    needed = int(found.notes[-1].split()[-2])
    assert "can never show" in found.notes[-1]
    found = rh.find_limit(CHIP, "rule.learning_rate", TASK, start=1.0, stop=2.0, chips=needed)
    assert found.interval == (2.0, 2.0)


def test_without_a_range_the_field_s_own_bounds_serve(known):
    known(lambda design: float(design.substrate.weight_bits >= 5))
    design = CHIP.replace("substrate.weight_fraction_bits", 0)
    found = rh.find_limit(design, "substrate.weight_bits", TASK)
    assert (found.start, found.stop, found.value) == (8, 2, 5)
    known(lambda design: float(design.substrate.weight_bits <= 20))
    found = rh.find_limit(design, "substrate.weight_bits", TASK)
    assert (found.start, found.stop, found.value) == (8, 32, 20)


def test_a_value_at_which_no_chip_can_be_is_a_failure_with_its_reason(known):
    known(lambda design: 1.0)
    found = rh.find_limit(CHIP, "substrate.weight_bits", TASK, start=16, stop=2)
    assert found.value == 4  # three bits of fraction and a sign
    assert "leaves no sign bit" in found.notes[-1]


def test_positions_and_sections_are_fields_too(known):
    known(lambda design: float(design.network.n_hidden[0] >= 3))
    found = rh.find_limit(CHIP, "network.n_hidden[0]", TASK, start=6, stop=1)
    assert found.value == 3


def test_fields_of_parts_of_parts_can_be_varied(known):
    class Device(Fields):
        step: float = 0.01
        ends: tuple[float, float] = (-1.0, 1.0)

    class Crossbar(rh.Ideal):
        device: Device = Device()

    design = rh.Design(rh.Loop(4, 2), rh.Recirculation(), Crossbar())
    known(lambda d: float(d.substrate.device.step <= 0.05))
    found = rh.find_limit(design, "substrate.device.step", TASK, stop=0.1)
    assert found.interval[0] <= 0.05 <= found.interval[1]
    end = Place.find(design, "substrate.device.ends[1]")
    assert design_with(design, {end: 2.0}).substrate.device.ends == (-1.0, 2.0)
    with pytest.raises(rh.DesignError, match="Device has no field 'stop', did you mean 'step'"):
        Place.find(design, "substrate.device.stop")


def test_a_frontier_is_a_limit_at_each_value_of_the_other_field(known):
    known(lambda d: float(d.substrate.weight_bits + d.substrate.activity_bits >= 12))
    design = CHIP.replace("substrate.weight_fraction_bits", 0)
    names = ("substrate.weight_bits", "substrate.activity_bits")
    found = rh.find_limit(design, names, TASK, start=(12, 10), stop=(2, 4))
    assert found.across == (10, 9, 8, 7, 6, 5, 4)
    assert found.values == (2, 3, 4, 5, 6, 7, 8)
    assert json.dumps(found.summary())


@pytest.mark.parametrize(
    ("field", "options", "message"),
    [
        ("substrate.weight_bit", {}, "did you mean 'weight_bits'"),
        ("substrat.weight_bits", {}, "did you mean 'substrate'"),
        ("weight_bits", {}, "want section.field"),
        ("substrate.rounding", {}, "'carry' is no number"),
        ("substrate.wide", {"stop": 2}, "is no number"),
        ("network.n_hidden[3]", {"stop": 2}, "has no position 3"),
        ("network.n_hidden.x", {"stop": 2}, "tuple has no field 'x'"),
        ("substrate.weight_bits", {"start": 8, "stop": 8}, "empty"),
        ("substrate.weight_bits", {"start": 8, "stop": 2.5}, "whole numbers"),
        ("rule.learning_rate", {"start": 8.0, "stop": float("nan")}, "no finite number"),
        ("rule.learning_rate", {"stop": 0, "scale": "log"}, "above 0"),
        ("rule.learning_rate", {"stop": 1.0, "scale": "logg"}, "scale = 'logg'"),
        ("rule.learning_rate", {"stop": 1.0, "at_least": 2}, "at_least = 2"),
        ("rule.learning_rate", {"stop": 1.0, "resolution": 0}, "resolution = 0"),
        ("substrate.table_integer_bits", {"stop": 3}, "value to start from"),
        (("substrate.weight_bits",), {}, "two different"),
        (("substrate.weight_bits", "rule.learning_rate"), {"stop": 3}, "two values each"),
    ],
)
def test_wrong_questions_for_a_limit_are_named(field, options, message):
    with pytest.raises(rh.DesignError, match=message):
        rh.find_limit(CHIP, field, TASK, **options)


def test_the_real_chip_s_limit_in_weight_bits():
    # Three fraction bits held: |w| < 8 at 7 bits is enough, |w| < 4 at 6 never learns.
    found = rh.find_limit(CHIP, "substrate.weight_bits", TASK, start=9, stop=5, **SHORT)
    assert found.value == 7
    assert found.interval == (7, 7)


# -- pictures ----------------------------------------------------------------------------


def test_every_answer_has_a_page_with_its_picture_and_numbers(known, tmp_path):
    known(lambda design: float(design.substrate.weight_bits >= 7) * 0.97)
    names = ("substrate.weight_bits", "substrate.weight_fraction_bits")
    answers = {
        "yield": rh.learning_yield(CHIP, TASK, chips=30),
        "limit": rh.find_limit(CHIP, names[0], TASK, at_least=0.9, start=16, stop=2),
        "frontier": rh.find_limit(CHIP, names, TASK, at_least=0.9, start=(10, 5), stop=(4, 3)),
        "ablation": rh.ablate(CHIP.replace("substrate.wide", False), TASK, chips=30),
    }
    for name, answer in answers.items():
        assert answer.plot().alt
        page = study_report(tmp_path, answer, f"{name}.html")
        assert page.with_suffix(".png").read_bytes().startswith(b"\x89PNG")
        rows = page.with_suffix(".csv").read_text().splitlines()
        assert len(rows) > 2
        shown = re.search(r"<details>.*?<tbody>(.*?)</tbody>", page.read_text(), re.S)[1]
        assert shown.count("<tr>") == len(rows) - 1


def test_bars_and_their_numbers_are_what_each_effect_costs(known):
    known(lambda design: 1.0 if design.substrate.wide else 0.6)
    ablation = rh.ablate(CHIP.replace("substrate.wide", False), TASK, chips=30, pairs=False)
    columns = ablation.plot().columns
    assert any(columns["left out, against all: chips"])
    for i, effect in enumerate(ablation.ranked):
        low, high = effect.gained.share_interval
        assert columns["left out, against all: chips"][i] == effect.gained.share
        assert columns["left out, against all: chips, low"][i] == low
        assert columns["alone, against none: chips"][i] == -effect.lost.share
        assert columns["alone, against none: chips, low"][i] == -effect.lost.share_interval[1]
