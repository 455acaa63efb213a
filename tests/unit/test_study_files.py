"""Study files: what they mean, and how their mistakes are told."""

import pytest
from crew import STUDY

import recirc_hw as rh
from recirc_hw.studies import StudyFile, sweep


def test_a_grid_has_every_combination_in_order(study):
    plan = StudyFile.load(study)
    assert plan.count == 6
    assert [plan.values(i) for i in range(6)] == [
        (3, 8.0), (3, 16.0), (6, 8.0), (6, 16.0), (8, 8.0), (8, 16.0),
    ]  # fmt: skip


def test_a_range_of_whole_numbers_needs_no_steps(study):
    vary = '[[vary]]\nfield = "substrate.activity_bits"\nfrom = 4\nto = 7\n'
    study.write_text(STUDY[: STUDY.index("[[vary]]")] + vary)
    plan = StudyFile.load(study)
    assert [plan.values(i)[0] for i in range(plan.count)] == [4, 5, 6, 7]


def test_a_log_range_has_equal_ratios(study):
    study.write_text(STUDY.replace("steps = 2", 'steps = 4\nscale = "log"'))
    plan = StudyFile.load(study)
    rates = [plan.values(i)[1] for i in range(4)]
    assert rates == pytest.approx([8 * 2 ** (i / 3) for i in range(4)], rel=1e-8)
    assert (rates[0], rates[-1]) == (8.0, 16.0)


def test_a_latin_hypercube_has_one_cell_in_every_slice(study):
    text = STUDY.replace("steps = 2\n", "").replace("chips = 6", "chips = 6\npoints = 40")
    study.write_text('sample = "latin_hypercube"\n' + text)
    plan = StudyFile.load(study)
    rates = [plan.values(i)[1] for i in range(40)]
    assert sorted(int((rate - 8) / 8 * 40) for rate in rates) == list(range(40))
    assert rates != sorted(rates)
    bits = [plan.values(i)[0] for i in range(40)]
    assert min(bits.count(value) for value in (3, 6, 8)) >= 13


def test_random_cells_do_not_depend_on_how_many_there_are(study):
    def drawn(points):
        text = STUDY.replace("steps = 2\n", "").replace("chips = 6", f"points = {points}")
        study.write_text('sample = "random"\n' + text)
        plan = StudyFile.load(study)
        return [plan.values(i) for i in range(points)]

    few, many = drawn(5), drawn(500)
    assert many[:5] == few
    assert 11.5 < sum(rate for _, rate in many) / 500 < 12.5
    assert {bits for bits, _ in many} == {3, 6, 8}


def test_whole_sections_and_positions_may_vary(study, here):
    study.write_text(
        STUDY[: STUDY.index("[[vary]]")]
        + """
        [[vary]]
        field = "rule"
        values = [{type = "recirculation"}, {type = "backprop", learning_rate = 8.0}]
        [[vary]]
        field = "network.n_hidden[0]"
        values = [2, 3]
        """
    )
    with sweep(study, out=study.parent / "a") as found:
        assert found.counts() == {"done": 4}
        assert list(found.rows())[3][1] == {"type": "backprop", "learning_rate": 8.0}
    assert here[3].sections["rule"]["type"] == "backprop"
    assert here[3].sections["network"]["n_hidden"] == (3,)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("weight_bits", "weight_bit", ["weight_bit", "did you mean 'weight_bits'"]),
        ("substrate.", "substrat.", ["did you mean 'substrate'"]),
        ("from = 8.0", "from = 16.0", ["range from 16.0 to 16.0 is empty"]),
        ("from = 8.0", "from = 20.0", ["range from 20.0 to 16.0 is reversed"]),
        ("from = 8.0", "form = 8.0", ["no field 'form'", "did you mean 'from'"]),
        ("from = 8.0\n", "", ["both from and to"]),
        ("to = 16.0", "to = inf", ["Vary.to = inf: input should be a finite number"]),
        ("steps = 2\n", "", ["steps is missing"]),
        ("steps = 2", "steps = 1", ["steps = 1"]),
        ("steps = 2", "values = [1.0]", ["not both"]),
        ("values = [3, 6, 8]", "values = []", ["values = ()"]),
        ("values = [3, 6, 8]", 'values = ["8"]', ["weight_bits = '8'", "integer"]),
        ("values = [3, 6, 8]", "values = [3, 99]", ["weight_bits = 99", "32"]),
        ("chips = 6", "chips = 0", ["chips = 0", "greater than 0"]),
        ("chips = 6", "chip = 6", ["no field 'chip'", "did you mean 'chips'"]),
        ("chips = 6", 'sample = "latin"', ["sample = 'latin'", "latin_hypercube"]),
        ("chips = 6", 'sample = "random"', ["needs points"]),
        ("chips = 6", "points = 6", ["points are for"]),
        ("max_updates = 60", "max_updates = 60\nepochs = 2", ["max_updates or epochs"]),
        ('"rule.learning_rate"', '"substrate.weight_bits"', ["given twice"]),
        ('"chip.toml"', '"chop.toml"', ["cannot read design file", "chop.toml"]),
        ('"encoder:4"', '"encodr:4"', ["did you mean 'encoder'"]),
        ("[[vary]]", "[[very]]", ["no field 'very'", "vary"]),
        ("[[vary]]", "[[vary", ["not valid TOML"]),
        ("steps = 2", "steps = 90000000", ["steps = 90000000", "1000000"]),
        ("from = 8.0\nto = 16.0\nsteps = 2", "from = 8\nto = 90000000", ["give fewer steps"]),
    ],
)
def test_a_mistake_in_a_study_file_is_named(study, old, new, words):
    assert old in STUDY
    study.write_text(STUDY.replace(old, new))
    with pytest.raises(rh.StudyError) as caught:
        StudyFile.load(study)
    message = str(caught.value)
    assert message.startswith((f"{study}: ", "cannot read"))
    assert "\n" not in message
    for word in words:
        assert word in message


def test_a_study_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(rh.StudyError, match="cannot read study file .*No such file"):
        sweep(tmp_path / "none.toml")
