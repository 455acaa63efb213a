"""The flagship study: its six answers, what does not apply, Ctrl-C, and its command."""

import json
import signal
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

import pytest

import recirc_hw as rh
from recirc_hw.cli import flagship
from recirc_hw.design_file import default_chips
from recirc_hw.reports import answers_report, svg
from recirc_hw.studies import TITLES
from recirc_hw.studies.questions import _frontier_range

TASK = rh.tasks.encoder(4)
CHIP = Path(__file__).parents[2] / "examples" / "encoder_8bit.toml"
DIGITAL = rh.Design(rh.Loop(4, 2), rh.Recirculation(learning_rate=16.0), rh.FixedPoint())
ANALOG = default_chips(TASK)["analog, 20 % mismatch"]
SMALL = {"chips": 5, "max_updates": 200, "threads": 1}


@pytest.fixture(scope="module")
def found():
    """Return a study of a digital and an analog chip."""
    return rh.study({"digital": DIGITAL, "analog": ANALOG}, TASK, **SMALL)


@pytest.fixture
def run(run):
    """Return a function that runs `recirc-hw study` in `tmp_path`: (output, error)."""
    return partial(run, "study")


def test_every_chip_answers_every_question(found):
    asked = [(answer.question, answer.chip) for answer in found.answers]
    assert asked == [(name, chip) for name in TITLES for chip in ("digital", "analog")]
    assert not found.missing
    assert not found.interrupted
    statuses = {(a.question, a.chip): a.status for a in found.answers}
    silent = [place for place, status in statuses.items() if status != "answered"]
    assert silent == [
        ("weight_bits", "analog"), ("mismatch", "digital"), ("energy", "analog"),
    ]  # fmt: skip


def test_what_does_not_apply_says_why(found):
    assert "not codes of some bits" in found["weight_bits"]["analog"].text
    assert "no mismatch" in found["mismatch"]["digital"].text
    assert "no price for unit_seconds" in found["energy"]["analog"].text


def test_an_ideal_chip_has_nothing_to_blame_or_to_load_from():
    found = rh.study(rh.Design(rh.Loop(4, 2), rh.Recirculation()), TASK, **SMALL)
    statuses = {answer.question: answer.status for answer in found.answers}
    assert statuses == {
        "yield": "answered", "weight_bits": "does not apply", "mismatch": "does not apply",
        "blame": "does not apply", "energy": "answered", "loading": "does not apply",
    }  # fmt: skip


def test_answers_are_those_of_the_studies_they_are_made_of(found):
    training = {"max_updates": 200, "threads": 1, "until": "learned", "hold": 20}
    share = rh.learning_yield(DIGITAL, TASK, chips=10, width=0.1, decide=0.9, **training)
    assert found["yield"]["digital"].result == share
    limit = rh.find_limit(
        ANALOG, "substrate.*_mismatch", TASK, start=0.0, stop=2.0, at_least=0.9, chips=5,
        resolution=0.07, **training,
    )  # fmt: skip
    assert found["mismatch"]["analog"].result.summary() == limit.summary()
    rivals = found["energy"]["digital"].result
    assert rivals.own.energy_pj == rh.cost(DIGITAL, TASK).energy_pj
    assert rivals.other.energy_pj == rh.cost(DIGITAL.with_rule("backprop"), TASK).energy_pj


def test_the_blame_is_sought_just_beyond_the_limit(found):
    limit = found["mismatch"]["analog"].result
    blamed = found["blame"]["analog"].result.design.substrate
    failing = next(point.value for point in limit.curve if not point.passes)
    assert blamed.tau_mismatch == blamed.offset_mismatch == failing


def test_few_weight_bits_are_sought_over_all_ways_to_split_them(found):
    frontier = found["weight_bits"]["digital"].result
    least = min(value for value in frontier.values if value is not None)
    assert f"weights of {least} bits" in found["weight_bits"]["digital"].text
    assert "carry" in found["weight_bits"]["digital"].text


def test_a_study_is_json(found):
    record = json.loads(found.to_json())
    assert record["chips"] == 5
    assert record["seed"] == 0
    assert set(record["designs"]) == {"digital", "analog"}
    results = [answer["result"] for answer in record["answers"] if answer["result"]]
    assert len(results) == len(record["answers"]) - 3
    low, high = results[0]["interval"]
    assert low < results[0]["share"] <= high


def test_a_page_holds_every_answer(found, tmp_path):
    page = answers_report(tmp_path, found).read_text()
    for answer in found.answers:
        assert f"{TITLES[answer.question]} {answer.chip}" in page
    assert page.count("<img") == 9
    assert len(list(tmp_path.glob("*.csv"))) == 9


def test_a_chip_that_does_not_learn_is_told():
    found = rh.study(DIGITAL, TASK, chips=20, max_updates=2, threads=1)
    assert found.learns is False
    assert found["blame"]["chip"].text.startswith("As designed")


def test_arguments_out_of_range_are_named():
    for name, value in (("at_least", 1.5), ("confidence", 0), ("chips", 0), ("seed", -1)):
        with pytest.raises(ValueError, match=name):
            rh.study(DIGITAL, TASK, **{name: value})
    with pytest.raises(rh.DesignError, match=r"designs\['a'\]"):
        rh.study({"a": 3}, TASK)
    with pytest.raises(rh.DesignError, match="designs = "):
        rh.study([], TASK)


def test_ctrl_c_keeps_the_answers_so_far():
    def stop(answer):
        if answer.question == "yield":
            signal.raise_signal(signal.SIGINT)

    found = rh.study(DIGITAL, TASK, told=stop, **SMALL)
    assert found.interrupted
    assert [answer.status for answer in found.answers] == ["answered", *["missing"] * 5]
    json.loads(found.to_json())


def test_ctrl_c_inside_a_question_keeps_what_it_found():
    def stop(done, total, text):
        if text.startswith("substrate."):
            signal.raise_signal(signal.SIGINT)

    found = rh.study(DIGITAL, TASK, progress=stop, **SMALL)
    statuses = [answer.status for answer in found.answers]
    assert statuses == ["answered", "interrupted", *["missing"] * 4]
    assert ("weight_bits", "chip") in found.missing


# -- the command -----------------------------------------------------------------------


def test_the_command_tells_answers_and_leaves_a_page(run):
    words = (CHIP, "--chips", 3, "--max-updates", 100, "--threads", 1)
    output, error = run(*words, "--out", "kept")
    assert error == ""
    for title in TITLES.values():
        assert title in output
    assert "does not apply: FixedPoint chips have no mismatch" in output
    assert "report: kept/report.html" in output
    names = {path.name for path in Path("kept").iterdir()}
    assert {"report.html", "study.json"} <= names
    record = json.loads(run(*words, "--json")[0])
    kept = json.loads(Path("kept/study.json").read_text())
    briefs = [[answer["brief"] for answer in one["answers"]] for one in (record, kept)]
    assert briefs[0] == briefs[1]


def test_the_command_fits_forty_columns(run, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    output, _ = run(CHIP, "--chips", 3, "--max-updates", 100, "--threads", 1)
    assert "loaded" in output
    assert max(map(len, output.splitlines())) <= 40


def test_a_chip_that_does_not_learn_has_an_exit_code_of_its_own(run):
    output, _ = run(CHIP, "--chips", 20, "--max-updates", 2, code=3)
    assert "No: fewer than 90 %" in output


def test_ctrl_c_of_the_command_says_what_is_missing(run, monkeypatch):
    @contextmanager
    def stopping(label):
        yield lambda *_: signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(flagship, "study_progress", stopping)
    output, _ = run(CHIP, "--chips", 40, "--out", "kept", code=130)
    assert "stopped by Ctrl-C; missing: " in output
    assert "loading (encoder_8bit)" in output
    assert json.loads(Path("kept/study.json").read_text())["interrupted"]


def test_wrong_words_are_named(run):
    assert "at_least = 2.0" in run(CHIP, "--at-least", 2, code=2)[1]
    assert "different names" in run(CHIP, CHIP, code=2)[1]
    assert "cannot read design file" in run("none.toml", code=2)[1]


# -- the picture -----------------------------------------------------------------------


def test_the_picture_is_the_same_file_every_time_and_has_a_dark_side(found):
    picture = found["loading"]["analog"].result.plot()
    content = svg(picture)
    assert content == svg(found["loading"]["analog"].result.plot())
    ElementTree.fromstring(content)
    assert b"prefers-color-scheme:dark" in content
    assert "learned" in picture.alt


def test_the_default_chips_have_the_network_that_init_writes():
    chips = default_chips(rh.tasks.digits())
    assert {chip.network for chip in chips.values()} == {
        rh.Loop(64, 16, initial_weights="glorot", output_bias="data_mean")
    }
    kinds = [type(chip.substrate) for chip in chips.values()]
    assert kinds == [rh.FixedPoint, rh.Analog]


def test_the_fewest_bits_are_unknown_where_nothing_surely_fails():
    def frontier(*intervals):
        return SimpleNamespace(limits=[SimpleNamespace(interval=ends) for ends in intervals])

    assert _frontier_range(frontier((7, 6), (8, 5), (None, 9))) == (5, 7)
    assert _frontier_range(frontier((7, 6), (8, None))) == (None, 7)
    stopped = SimpleNamespace(limits=[SimpleNamespace(interval=(7, 6)), None])
    assert _frontier_range(stopped) == (None, 7)
