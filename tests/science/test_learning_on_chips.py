"""What the flagship study claims: learning on the chip, against loading weights."""

import json
import subprocess
import sys

import pytest

import recirc_hw as rh

MISMATCH = "substrate.*_mismatch"


@pytest.mark.slow
def test_encoders_learn_where_an_ideal_chips_weights_fail():
    """FACTS 9, 200 chips: .95, .47, .065, 0 work; all, all, all, .99 learn from there."""
    design = rh.Design(rh.Loop(4, 2), rh.Recirculation(), rh.Analog())
    works = {0.05: (0.83, 1.0), 0.1: (0.30, 0.64), 0.2: (0.005, 0.16), 0.4: (0.0, 0.05)}
    found = rh.transfer(
        design, rh.tasks.encoder(4), field=MISMATCH, values=tuple(works), chips=200,
        max_updates=1000,
    )  # fmt: skip
    # Bands: an independent build's share, 5 standard errors of a difference of two such.
    for point in found.points:
        low, high = works[point.value]
        assert low <= point.loaded.share <= high
        assert point.tuned.share >= 0.95
        assert point.learned.share >= 0.9
    assert found.at(0.2).gained.p_learned < 1e-20


@pytest.mark.slow
def test_the_study_without_arguments_answers_for_real_digits():
    """The whole command: on digits no loaded chip works at 20 % mismatch, all learn."""
    words = [sys.executable, "-m", "recirc_hw", "study", "--json"]
    ended = subprocess.run(words, capture_output=True, text=True, check=True, timeout=1800)
    found = json.loads(ended.stdout)
    assert found["learns"] is True
    assert not found["missing"]
    answers = {(a["question"], a["chip"].partition(",")[0]): a for a in found["answers"]}
    silent = {place for place, answer in answers.items() if answer["result"] is None}
    assert silent == {("weight_bits", "analog"), ("mismatch", "digital"), ("energy", "analog")}
    loading = answers["loading", "analog"]["result"]
    (point,) = (p for p in loading["points"] if p["value"] == 0.2)
    assert point["loaded"]["share"] <= 0.2
    assert point["learned"]["share"] >= 0.8
    assert point["gained"]["p_learned"] < 1e-5
    assert 0.4 <= answers["mismatch", "analog"]["result"]["value"] <= 1.2
    memory = answers["energy", "digital"]["result"]["own"]["counts"]["memory"]
    assert memory["transposed_reads"] == 0
