"""The command line as a stranger would use it."""

import json
import re
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import numpy as np
import pytest

import recirc_hw as rh
from recirc_hw import terminal
from recirc_hw.sections import SECTIONS
from recirc_hw.substrates.devices import DEVICES, PRESETS, preset

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def chip(tmp_path, run):
    run("init", "chip.toml", "--task", "encoder:4")
    return tmp_path / "chip.toml"


def test_init_writes_a_design_file_that_means_the_default(chip, run):
    assert rh.Design.load(chip) == rh.Design(rh.Loop(4, 2), rh.Recirculation())


def test_every_line_of_a_design_file_says_what_it_means(tmp_path, run):
    for task in ("encoder:4", "digits", "lowrank:30,5"):
        run("init", "a.toml", "--task", task, "--force")
        fields = [
            line for line in (tmp_path / "a.toml").read_text().splitlines() if "=" in line
        ]
        assert len(fields) > 10
        assert all("#" in line for line in fields)


def test_init_keeps_a_file_that_is_there(chip, run):
    chip.write_text("precious")
    _, error = run("init", "chip.toml", code=2)
    assert "--force" in error
    assert chip.read_text() == "precious"


def test_train_says_what_came_of_it_and_leaves_a_run_folder(chip, run):
    output, _ = run("train", "chip.toml", "--seed", 7, "--no-report")
    assert "yes" in output
    folder = chip.parent / "runs" / "chip-encoder-4-7"
    assert {path.name for path in folder.iterdir()} == {
        "checkpoint.npz", "design.toml", "run.json", "weights.npz",
    }  # fmt: skip
    assert json.loads((folder / "run.json").read_text())["runs"][0]["learned"]


def test_json_is_one_object_and_nothing_else(chip, run):
    output, error = run("train", "chip.toml", "--no-report", "--json")
    assert json.loads(output)["runs"][0]["learned"]
    assert error == ""


def test_piped_output_has_no_colours_and_no_bars(chip, run):
    output, error = run("train", "chip.toml", "--no-report")
    assert "\x1b" not in output + error


def test_many_chips_are_counted(chip, run):
    output, _ = run("train", "chip.toml", "--chips", 5, "--no-report")
    assert "5 of 5 chips learned" in output


def test_a_chip_that_does_not_learn_has_an_exit_code_of_its_own(chip, run):
    run("train", "chip.toml", "--max-updates", 3, "--no-report", code=3)


def test_a_second_run_never_replaces_the_first(chip, run):
    for _ in range(2):
        run("train", "chip.toml", "--no-report")
    names = sorted(path.name for path in (chip.parent / "runs").iterdir())
    assert names == ["chip-encoder-4-0", "chip-encoder-4-0-2"]
    _, error = run("train", "chip.toml", "--out", "runs/chip-encoder-4-0", code=2)
    assert "--resume" in error


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("regression =", "regresion =", ["regresion", "did you mean 'regression'"]),
        ("regression = 0.75", "regression = 1.5", ["regression = 1.5", "less than 1"]),
        ("n_visible = 4", 'n_visible = "4"', ["n_visible = '4'", "integer"]),
        ('"CCRCC"', '"CCRC"', ["combine = 'CCRC'", "did you mean 'CCRCC'"]),
        ("[substrate]", "[subtrate]", ["[subtrate]", "did you mean 'substrate'"]),
        ('type = "loop"', 'type = "lop"', ["network.type = 'lop'", "did you mean 'loop'"]),
        ("learning_rate = 20.0", "learning_rate = -1.0", ["learning_rate", "-1.0"]),
        ("learning_rate = 20.0", "learning_rate = inf", ["learning_rate", "finite"]),
        ("[network]", "[network", ["not valid TOML"]),
    ],
)
def test_a_mistake_in_the_file_is_named(chip, run, old, new, words):
    text = chip.read_text()
    assert old in text
    chip.write_text(text.replace(old, new))
    _, error = run("train", "chip.toml", code=2)
    assert error.startswith("error: chip.toml:")
    assert error.count("\n") == 1
    for word in words:
        assert word in error


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("train", "none.toml"), "cannot read design file 'none.toml'"),
        (("train", "chip.toml", "--task", "digits"), "has cases of 64 values"),
        (("train", "chip.toml", "--task", "digit"), "did you mean 'digits'"),
        (("train", "chip.toml", "--backend", "nativ"), "did you mean 'native'"),
        (("train", "chip.toml", "--epochs", 0), "epochs"),
        (("train", "chip.toml", "--resume"), "holds no checkpoint"),
        (("train", "chip.toml", "--rule", "none.py:f"), "FILE.py:FUNCTION"),
        (("report", "nowhere"), "no finished run"),
        (("reproduce", "hinton-encodr"), "did you mean 'hinton-encoder'"),
        (
            ("reproduce", "--all", "baldi-fig4"),
            "--all is for all results, 'baldi-fig4' for one",
        ),
    ],
)
def test_a_mistake_in_the_command_is_one_line_and_exit_code_2(chip, run, words, message):
    _, error = run(*words, code=2)
    assert error.startswith("error: ")
    assert message in error
    assert not (chip.parent / "runs").exists()


def test_a_folder_that_cannot_be_written_is_one_line(chip, run):
    (chip.parent / "file").write_text("")
    _, error = run("train", "chip.toml", "--out", "file/run", code=2)
    assert error.startswith("error: ")


def test_a_rule_of_ones_own_trains_from_the_command_line(chip, run):
    place = f"{EXAMPLES / 'own_rule.py'}:plain_recirculation"
    text = chip.read_text().replace("learning_rate = 20.0", "learning_rate = 1.0")
    chip.write_text(text)
    for backend in ("native", "reference"):
        words = ("--rule", place, "--backend", backend, "--no-report", "--json")
        output, _ = run("train", "chip.toml", *words)
        assert json.loads(output)["runs"][0]["learned"]


def test_ctrl_c_keeps_what_was_learned_and_the_resumed_run_ends_with_the_same_bits(
    tmp_path, run
):
    run("init", "chip.toml", "--task", "digits")
    words = ["train", "chip.toml", "--epochs", "150", "--no-report"]
    stopped = subprocess.Popen(
        [sys.executable, "-m", "recirc_hw", *words, "--out", "a"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not (tmp_path / "a" / "checkpoint.npz").exists():
        time.sleep(0.01)
    time.sleep(0.3)
    stopped.send_signal(signal.SIGINT)
    output, _ = stopped.communicate(timeout=60)
    assert stopped.returncode == 130
    assert "--out a --resume" in output
    run(*words, "--out", "a", "--resume")
    run(*words, "--out", "b")
    with np.load(tmp_path / "a/weights.npz") as a, np.load(tmp_path / "b/weights.npz") as b:
        assert a.files == b.files
        assert all(np.array_equal(a[name], b[name]) for name in a.files)
    records = [json.loads((tmp_path / x / "run.json").read_text())["runs"][0] for x in "ab"]
    for record in records:
        record.pop("wall_s")
    assert records[0] == records[1]


def test_report_writes_the_page_of_a_run_again(chip, run):
    run("train", "chip.toml", "--no-report", "--out", "a")
    output, _ = run("report", "a")
    assert (chip.parent / "a" / "report.html").exists()
    assert "report.html" in output


def test_info_names_versions_and_instruction_sets(run):
    record = json.loads(run("info", "--json")[0])
    assert record["recirc_hw"]
    assert "portable" in record["instruction sets"]


def test_info_on_a_fixed_point_design_shows_its_program_and_widths(run, tmp_path):
    design = rh.Design(rh.Loop(784, 20), rh.Recirculation(), rh.FixedPoint(weight_bits=16))
    Path("wide.toml").write_text(design.to_toml())
    output, _ = run("info", "wide.toml")
    assert "correlate" in output
    assert re.search(r"^sum into hidden +s34 .*784 products and a bias$", output, re.M)
    record = json.loads(run("info", "wide.toml", "--batch-size", "100", "--json")[0])
    assert record["design"] == json.loads(json.dumps(design.sections()))
    bits = {signal["name"]: signal["bits"] for signal in record["widths"]["signals"]}
    assert bits["sum into hidden"] == 34
    assert bits["sum for visible>hidden"] == design.widths(100)["sum for visible>hidden"].bits
    assert any("rate" in note for note in record["widths"]["notes"])


def test_info_on_an_ideal_design_shows_its_program_alone(run):
    Path("ideal.toml").write_text(rh.Design(rh.Loop(4, 2), rh.Recirculation()).to_toml())
    output, _ = run("info", "ideal.toml")
    assert "correlate" in output
    assert "wide" not in output
    assert json.loads(run("info", "ideal.toml", "--json")[0])["widths"] is None


@pytest.fixture
def analog_chip(chip):
    design = rh.Design(rh.Loop(4, 2), rh.Recirculation(), rh.Analog(tau_mismatch=0.2))
    chip.write_text(design.to_toml())
    return chip


def test_export_spice_writes_the_netlist_of_one_chip_and_case(analog_chip, run):
    output, _ = run("export", "spice", "chip.toml", "--out", "build", "--seed", 5)
    assert "ngspice -b build/chip5.cir" in output
    text = Path("build/chip5.cir").read_text()
    assert "V_case_v1 case_v1 0 DC 1.0" in text
    words = ("--out", "more", "--case", 2, "--plasticity", "--json")
    record = json.loads(run("export", "spice", "chip.toml", *words)[0])
    assert record == {"netlist": "more/chip0.cir", "table": "chip0.txt"}
    text = Path("more/chip0.cir").read_text()
    assert "V_case_v3 case_v3 0 DC 1.0" in text
    assert "dw_h1_v1" in text


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("none.toml",), "cannot read design file 'none.toml'"),
        (("chip.toml", "--case", 4), "--case 4: encoder(4) has cases 0..3"),
        (("chip.toml", "--task", "encoder:5"), "want shape"),
        (("chip.toml", "--out", "chip.toml"), "'chip.toml': File exists"),
        (("chip.toml", "--out", "chip.toml/a"), "'chip.toml/a': Not a directory"),
    ],
)
def test_a_netlist_that_cannot_be_written_is_one_line(analog_chip, run, words, message):
    _, error = run("export", "spice", *words, code=2)
    assert error.startswith("error: ")
    assert message in error
    assert error.count("\n") == 1


def test_clocked_designs_have_no_netlist(chip, run):
    _, error = run("export", "spice", "chip.toml", code=2)
    assert "Ideal chips are clocked" in error
    assert error.count("\n") == 1
    assert not Path("build").exists()


def test_the_readme_and_the_example_show_the_same_rule():
    readme = (EXAMPLES.parent / "README.md").read_text()
    example = (EXAMPLES / "own_rule.py").read_text()
    assert example[example.index("def ") :].strip() in readme


def test_example_designs_are_designs():
    for path in EXAMPLES.glob("*.toml"):
        assert tomllib.loads(path.read_text())
        rh.Design.load(path)


def test_the_demo_shows_digits_and_says_what_was_learned(run):
    output, _ = run("demo", "--out", "page")
    assert "of 100 chips learned the 4-2-4 encoder" in output
    assert "@" in output
    assert Path("page/report.html").exists()


@pytest.mark.slow
def test_the_demo_as_json_beats_the_bar_of_the_digits(run):
    record = json.loads(run("demo", "--json")[0])
    assert record["learned"] >= 95
    assert record["digits_learned"]
    assert record["digits_error"] < 0.0145
    assert record["digits_error"] > record["pca_error"]


@pytest.mark.slow
def test_reproduce_lists_results_and_runs_them_by_name(run):
    assert "hinton-encoder" in run("reproduce")[0]
    assert "hinton-encoder" in json.loads(run("reproduce", "--json")[0])
    output, _ = run("reproduce", "hinton-encoder", "--quick", "--out", "figures")
    assert "Verdict" in output
    assert Path("figures/hinton-encoder.png").exists()


def test_a_run_of_a_rule_of_ones_own_says_why_it_has_no_second_page(chip, run):
    place = f"{EXAMPLES / 'own_rule.py'}:plain_recirculation"
    run("train", "chip.toml", "--rule", place, "--no-report", "--out", "a", code=3)
    _, error = run("report", "a", code=2)
    assert "rule of your own" in error


def test_broken_runs_are_named(chip, run):
    run("train", "chip.toml", "--no-report", "--out", "a")
    whole = Path("a/run.json").read_text()
    for damage in (whole[:50], "{}", whole.replace("seed", "sed")):
        Path("a/run.json").write_text(damage)
        assert "'a'" in run("report", "a", code=2)[1]
    Path("a/run.json").write_text(whole)
    Path("a/weights.npz").write_bytes(b"nothing")
    assert "'a'" in run("report", "a", code=2)[1]


def test_ctrl_c_in_a_training_without_a_checkpoint_reaches_the_caller():
    code = (
        "import os, signal, recirc_hw as rh\n"
        "chip = rh.Design(rh.Loop(4, 2), rh.Recirculation()).fabricate(0)\n"
        "stop = lambda *_: os.kill(os.getpid(), signal.SIGINT)\n"
        "try: chip.train(rh.tasks.encoder(4), progress=stop)\n"
        "except KeyboardInterrupt as e: print(e.runs[0].interrupted, chip.updates > 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "True True\n", done.stderr


RULES = {
    "backprop": {},
    "error_recirculation": {},
    "random_feedback": {"kind": '"ARBP"'},
    "top_only": {},
    "channels": {"c2": '"tracking"', "sends": '"output"'},
    "recirculation": {"hidden_regression": "0.5"},
}


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_trains_from_a_design_file(tmp_path, run, rule):
    fields = "".join(f"{name} = {value}\n" for name, value in RULES[rule].items())
    network = '[network]\ntype = "loop"\nn_visible = 4\nn_hidden = [2]\n'
    Path("a.toml").write_text(f'{network}[rule]\ntype = "{rule}"\n{fields}')
    run("train", "a.toml", "--max-updates", 2, "--no-report", "--out", "a", code=3)
    assert rh.Design.load("a/design.toml") == rh.Design.load("a.toml")


NETWORKS = {
    "layered": ("sizes = [6, 2, 1]", "backprop", "symmetry:6"),
    "recurrent": (
        "n_inputs = 2\nn_hidden = 3\nn_outputs = 1\nsteps = 3", "bptt", "addition:2",
    ),
    "hierarchy": (
        "leaves = [[2, 2], [2, 2]]\nupper = [[2, 0, 1]]", "recirculation", "encoder:4",
    ),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("network", NETWORKS)
def test_every_network_trains_from_a_design_file_and_has_its_page(run, network):
    fields, rule, task = NETWORKS[network]
    text = f'[network]\ntype = "{network}"\n{fields}\n[rule]\ntype = "{rule}"\n'
    Path("a.toml").write_text(text)
    run("train", "a.toml", "--task", task, "--max-updates", 2, "--out", "a", code=3)
    assert rh.Design.load("a/design.toml") == rh.Design.load("a.toml")
    assert "What comes back" in Path("a/report.html").read_text(encoding="utf-8")


def test_every_field_of_a_design_says_what_it_means():
    for kinds in SECTIONS.values():
        for kind in kinds.values():
            for name, field in kind.model_fields.items():
                assert field.description, f"{kind.__name__}.{name}"
                assert "\n" not in field.description


def test_two_trainings_never_write_one_folder(tmp_path):
    path = tmp_path / "a" / "checkpoint.npz"
    chip = rh.Design(rh.Loop(4, 2), rh.Recirculation()).fabricate(0)

    def second(*_):
        with pytest.raises(rh.CheckpointError, match="another training"):
            chip.train(rh.tasks.encoder(4), checkpoint=path)

    chip.train(rh.tasks.encoder(4), checkpoint=path, progress=second)
    assert [file.name for file in path.parent.iterdir()] == ["checkpoint.npz"]


def test_test_cases_out_of_range_are_refused(run, chip):
    np.savez("far.npz", train=np.eye(4), test=np.full((2, 4), 7.0))
    assert "values in 0..7" in run("train", "chip.toml", "--task", "file:far.npz", code=2)[1]


def test_a_broken_rule_file_is_one_line(run, chip):
    Path("mine.py").write_text("def f(:\n")
    _, error = run("train", "chip.toml", "--rule", "mine.py:f", code=2)
    assert "mine.py" in error


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("    build.blend('visible', 'output', 0.5)", "line 2: AttributeError"),
        ("    loop.first_pas(build)", "line 2: AttributeError: .*first_pas"),
        ("    1 / 0", "line 2: ZeroDivisionError"),
        ("    pass", "no monitor"),
    ],
)
def test_a_rule_that_fails_is_one_line(run, chip, body, words):
    Path("mine.py").write_text(f"def f(build, loop):\n{body}\n")
    _, error = run("train", "chip.toml", "--rule", "mine.py:f", code=2)
    assert re.search(words, error)
    assert len(error.splitlines()) == 1


def test_a_folder_without_a_run_has_no_report(run, tmp_path):
    assert "no finished run" in run("report", tmp_path, code=2)[1]


def test_an_empty_task_is_no_task(run, chip):
    assert "unknown task ''" in run("train", "chip.toml", "--task", "", code=2)[1]


def test_the_version_is_the_packages(run):
    assert run("--version")[0].strip() == rh.__version__


def test_a_design_too_large_for_the_machine_is_one_line(run, chip):
    chip.write_text(chip.read_text().replace("n_hidden = [2]", "n_hidden = [100000000000]"))
    _, error = run("train", "chip.toml", code=2)
    assert "memory" in error


def test_what_is_no_task_is_refused():
    chip = rh.Design(rh.Loop(4, 2), rh.Recirculation()).fabricate(0)
    with pytest.raises(TypeError, match="want a Task"):
        chip.train("encoder:4")


@pytest.mark.slow
def test_devices_are_listed_with_source_and_drawn(tmp_path, run, monkeypatch):
    monkeypatch.setattr("recirc_hw.reports.devices.POINTS", 20)
    output, _ = run("devices", "--out", "pictures")
    for name in (*DEVICES, *PRESETS):
        assert name in output
        assert (tmp_path / "pictures" / f"{name}.png").read_bytes()[1:4] == b"PNG"
    assert "Gong et al. 2018" in output


def test_one_device_shows_every_number_and_where_it_is_from(tmp_path, run):
    output, _ = run("devices", "ecram", "--out", "pictures")
    assert "Tang et al. 2018, IEDM" in output
    assert "EcRamPresetDevice" in output
    for field, value in PRESETS["ecram"].device.model_dump().items():
        assert field in output
        assert str(value) in output
    assert [path.name for path in (tmp_path / "pictures").iterdir()] == ["ecram.png"]


def test_devices_as_json_hold_the_numbers_to_build_them_from(run):
    found = json.loads(run("devices", "reram_sb", "--json")[0])["reram_sb"]
    fields = dict(found["fields"])
    assert DEVICES[fields.pop("type")](**fields) == preset("reram_sb")
    assert found["source"]
    assert found["picture"].endswith("reram_sb.png")


def test_an_unknown_device_is_refused_with_the_nearest(run):
    _, error = run("devices", "soft_bound", code=2)
    assert "did you mean 'soft_bounds'" in error
    assert "error: device 'soft_bound'" in error


def test_on_a_narrow_terminal_every_number_is_whole(run, chip, monkeypatch):
    wide, _ = run("train", "chip.toml", "--chips", 3, "--no-report")
    numbers = [word for line in wide.splitlines()[2:5] for word in line.split()]
    monkeypatch.setattr(terminal, "width", lambda: 40)
    narrow, _ = run("train", "chip.toml", "--chips", 3, "--no-report")
    assert max(map(len, narrow.splitlines())) <= 40
    assert set(numbers) <= set(narrow.split())


def test_a_file_that_cannot_be_written_is_named_in_one_line(run):
    Path("plain").write_text("")
    _, error = run("init", "plain/chip.toml", code=2)
    assert error == "error: 'plain/chip.toml': Not a directory\n"


def test_cost_shows_energy_operations_and_memory(chip, run):
    output, _ = run("cost", "chip.toml")
    for words in ("one inference", "one learned example", "multiply accumulates", "packed"):
        assert words in output
    assert "Horowitz" in output


def test_cost_stands_beside_that_of_another_rule(chip, run):
    output, _ = run("cost", "chip.toml", "--task", "encoder:4", "--against", "backprop")
    assert "Backprop on Loop(4, 2), Ideal" in output
    assert "Effective_ACs" in output


def test_cost_as_json_holds_both_and_nothing_else(chip, run):
    output, error = run("cost", "chip.toml", "--against", "backprop", "--json")
    record = json.loads(output)
    assert record["energy_pj"]["learned_example"] > record["energy_pj"]["inference"] > 0
    assert record["against"]["counts"]["memory"]["transposed_reads"] == 8
    assert error == ""


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--prices", "lohi"), "did you mean 'loihi'"),
        (("--prices", "loihi"), "no price for multiply_accumulates"),
        (("--against", "bakprop"), "did you mean 'backprop'"),
        (("--task", "encoder:5"), "(n, 4)"),
    ],
)
def test_cost_refuses_what_it_cannot_price_in_one_line(chip, run, words, message):
    _, error = run("cost", "chip.toml", *words, code=2)
    assert message in error
    assert len(error.splitlines()) == 1
