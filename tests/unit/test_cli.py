"""The command line as a stranger would use it."""

import json
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import numpy as np
import pytest

import recirc_hw as rh
from recirc_hw.chips import SECTIONS
from recirc_hw.cli import main
from recirc_hw.design_file import COMMENTS

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Return a function that runs the command in `tmp_path`: (standard output, error)."""
    monkeypatch.chdir(tmp_path)

    def command(*words, code=0):
        monkeypatch.setattr(sys, "argv", ["recirc-hw", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        output, error = capsys.readouterr()
        assert (ended.value.code or 0) == code, (output, error)
        return output, error

    return command


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
        (("report", "nowhere"), "cannot read design file"),
        (("reproduce", "hinton-encodr"), "did you mean 'hinton-encoder'"),
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


def test_the_demo_as_json_beats_the_bar_of_the_digits(run):
    record = json.loads(run("demo", "--json")[0])
    assert record["learned"] >= 95
    assert record["digits_learned"]
    assert record["digits_error"] < 0.0145
    assert record["digits_error"] > record["pca_error"]


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


@pytest.mark.parametrize("network", NETWORKS)
def test_every_network_trains_from_a_design_file_and_has_its_page(run, network):
    fields, rule, task = NETWORKS[network]
    text = f'[network]\ntype = "{network}"\n{fields}\n[rule]\ntype = "{rule}"\n'
    Path("a.toml").write_text(text)
    run("train", "a.toml", "--task", task, "--max-updates", 2, "--out", "a", code=3)
    assert rh.Design.load("a/design.toml") == rh.Design.load("a.toml")
    assert "What comes back" in Path("a/report.html").read_text(encoding="utf-8")


def test_every_field_of_a_design_has_a_comment():
    for section, kinds in SECTIONS.items():
        for kind in kinds.values():
            for name in kind.model_fields:
                assert f"{section}.{name}" in COMMENTS


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
