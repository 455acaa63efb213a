"""The commands of studies as a stranger would use them."""

import json
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from recirc_hw.studies import Store, StudyFile, sweep

EXAMPLES = Path(__file__).parents[2] / "examples"
CHIP = str(EXAMPLES / "encoder_8bit.toml")
STUDY = EXAMPLES / "studies" / "encoder_bits.toml"


@pytest.fixture
def small(tmp_path):
    """Return a study file of four quick cells."""
    path = tmp_path / "small.toml"
    path.write_text(
        f'design = "{CHIP}"\ntask = "encoder:4"\nchips = 3\nmax_updates = 50\n'
        '[[vary]]\nfield = "substrate.weight_bits"\nvalues = [3, 7, 8, 9]\n'
    )
    return path


def test_yield_says_share_interval_and_updates(run):
    output, error = run("yield", CHIP, "--chips", 20, "--max-updates", 300)
    assert "learned: 100.0 % of 20 chips (95 % interval 83.9 to 100.0 %)" in output
    assert "still held" in output
    assert "median" in output
    assert error == ""


def test_yield_leaves_page_picture_numbers_and_json_where_asked(run):
    record = json.loads(run("yield", CHIP, "--chips", 5, "--out", "a", "--json")[0])
    assert record["chips"] == 5
    assert {path.name for path in Path("a").iterdir()} == {
        "yield.html", "yield.png", "yield.csv", "yield.json",
    }  # fmt: skip
    assert json.loads(Path("a/yield.json").read_text()) == record


def test_a_yield_below_what_was_asked_has_an_exit_code_of_its_own(run):
    words = ("yield", CHIP, "--at-least", 0.5, "--max-updates")
    assert "learn: yes" in run(*words, 300)[0]
    assert "learn: no" in run(*words, 2, code=3)[0]


def test_limit_shows_the_curve_and_the_limit(run):
    output, _ = run(
        "limit", CHIP, "--vary", "substrate.weight_bits", "--from", 8, "--to", 5,
        "--at-least", 0.5, "--max-updates", 300,
    )  # fmt: skip
    assert "limit: 7 (95 % interval 7 to 7)" in output
    assert "fails" in output


def test_limit_of_two_fields_is_a_frontier(run):
    words = (
        "limit", CHIP, "--vary", "substrate.weight_bits", "--from", 8, "--to", 5,
        "--vary", "substrate.weight_fraction_bits", "--from", 3, "--to", 2,
        "--at-least", 0.5, "--max-updates", 300,
    )  # fmt: skip
    assert json.loads(run(*words, "--json")[0])["values"] == [7, 6]
    assert "limit of substrate.weight_bits" in run(*words)[0]


def test_ablate_ranks_effects(run):
    Path("rough.toml").write_text(Path(CHIP).read_text().replace('"carry"', '"floor"'))
    words = ("ablate", "rough.toml", "--chips", 15, "--no-pairs", "--max-updates", 150)
    output, _ = run(*words)
    assert "to blame: weight r" in output
    assert json.loads(run(*words, "--json")[0])["to_blame"].startswith("weight r")


def test_an_answer_is_printed_where_its_folder_cannot_be_written(run):
    Path("file").write_text("")
    words = ("yield", CHIP, "--chips", 5, "--max-updates", 20, "--out", "file/below")
    output, error = run(*words, code=2)
    assert "of 5 chips" in output
    assert "cannot write into 'file/below'" in error
    assert json.loads(run(*words, "--json", code=2)[0])["chips"] == 5


def test_sweep_prints_the_table_and_report_prints_it_again(run, small, here):
    output, _ = run("sweep", small)
    assert "3 done, 1 refused of 4 cells" in output
    assert "weight_bits" in output
    assert "report: studies/small/report.html" in output
    page = Path("studies/small/report.html").read_bytes()
    assert run("report", "studies/small")[0] == output
    assert run("report", "studies/small/study.sqlite")[0] == output
    assert Path("studies/small/report.html").read_bytes() == page
    run("report", "studies/small", "--export", "table.csv")
    assert len(Path("table.csv").read_text().splitlines()) == 5
    record = json.loads(run("report", "studies/small", "--json")[0])
    assert record["complete"]
    assert record["report"] == "studies/small/report.html"
    assert len(record["rows"]) == 4


def test_a_study_is_shown_where_its_page_cannot_be_written(run, small, here, monkeypatch):
    run("sweep", small)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    output, error = run("report", "studies/small")
    assert "3 done, 1 refused of 4 cells" in output
    assert error == "no page: cannot write into 'studies/small': No space left on device\n"


def test_report_watches_a_study_until_it_is_complete(run, small, here):
    slow = threading.Event()
    seen = []

    def tell(done, *_):
        seen.append(done)
        slow.wait(0.1)

    worker = threading.Thread(
        target=lambda: sweep(small, out="live", progress=tell).close(), daemon=True
    )
    worker.start()
    while not seen:
        time.sleep(0.01)
    assert "3 done, 1 refused of 4 cells" in run("report", "live", "--watch")[0]
    worker.join()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("yield", CHIP, "--width", 2), "width = 2"),
        (("limit", CHIP, "--vary", "substrate.weight_bit"), "did you mean 'weight_bits'"),
        (("limit", CHIP, "--vary", "rule.learning_rate", "--to", 1, "--to", 2), "want one for"),
        (("limit", CHIP, *("--vary", "rule.momentum") * 3), "or two for a frontier"),
        (("limit", CHIP, "--vary", "substrate.weight_bits", "--to", 8), "empty"),
        (("ablate", EXAMPLES / "encoder.toml"), "no hardware effects"),
        (("sweep", "none.toml"), "cannot read study file"),
        (("report", ".", "--watch"), "holds no study to watch"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_question_is_one_line_and_exit_code_2(run, words, message):
    _, error = run(*words, code=2)
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert message in error


def test_a_table_is_exported_only_under_a_known_ending(run, small, here):
    run("sweep", small, "--out", "a")
    assert ".csv or .parquet" in run("report", "a", "--export", "table.xls", code=2)[1]


def test_a_sweep_with_a_failed_cell_has_an_exit_code_of_its_own(run, small, here):
    small.write_text(
        small.read_text().replace("substrate.weight_bits", "network.n_hidden[0]")
        .replace("[3, 7, 8, 9]", "[2, 1000000000000]")
    )  # fmt: skip
    output, _ = run("sweep", small, code=3)
    assert "cell 1: MemoryError" in output.replace("_ArrayMemoryError", "MemoryError")


def test_example_studies_are_studies():
    for path in STUDY.parent.glob("*.toml"):
        assert StudyFile.load(path).count > 10


@pytest.mark.slow
def test_ctrl_c_keeps_the_chips_so_far_and_exits_with_130(tmp_path):
    asked = subprocess.Popen(
        [sys.executable, "-m", "recirc_hw", "yield", CHIP, "--chips", "1000000", "--json"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path,
    )  # fmt: skip
    time.sleep(4)
    asked.send_signal(signal.SIGINT)
    output, error = asked.communicate(timeout=60)
    assert asked.returncode == 130, error
    record = json.loads(output)
    assert record["interrupted"]
    assert 0 < record["chips"] < 1_000_000


@pytest.mark.slow
def test_ctrl_c_in_a_sweep_keeps_finished_cells_and_exits_with_130(tmp_path, run):
    asked = subprocess.Popen(
        [sys.executable, "-m", "recirc_hw", "sweep", str(STUDY), "--out", "a"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path,
        start_new_session=True,
    )  # fmt: skip
    while not (tmp_path / "a" / "study.sqlite").exists():
        time.sleep(0.05)
    while True:
        with Store.open(tmp_path / "a") as found:
            if sum(found.counts().values()) > 4:
                break
        time.sleep(0.05)
    asked.send_signal(signal.SIGINT)
    output, error = asked.communicate(timeout=60)
    assert asked.returncode == 130, error
    assert "--resume" in output
    with Store.open(tmp_path / "a") as found:
        assert 4 < sum(found.counts().values()) < found.total
