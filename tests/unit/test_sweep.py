"""Sweeps: study files, cells, the store, and whatever may come between."""

import ast
import csv
import fcntl
import json
import os
import sqlite3
import sys
import time
from concurrent.futures import Future
from pathlib import Path

import pytest
from crew import STUDY, Here

import recirc_hw as rh
from recirc_hw.studies import Store, StudyFile, store, sweep
from recirc_hw.studies.cells import Result, code_version, run_cell
from recirc_hw.studies.cluster import LocalWorkers, workers
from recirc_hw.studies.store import CIRCUMSTANCES
from recirc_hw.studies.sweep import _Drive


def results(found):
    """Return a study's rows without what differs from one computation to the next."""
    keep = [i for i, name in enumerate(found.columns) if name not in CIRCUMSTANCES]
    return [tuple(row[i] for i in keep) for row in found.rows()]


# -- cells ---------------------------------------------------------------------------------


def test_a_cell_s_name_is_its_content(study):
    plan = StudyFile.load(study)
    keys = {plan.cell(i).key for i in range(2, 6)}
    assert len(keys) == 4
    assert plan.cell(2).key == StudyFile.load(study).cell(2).key
    for old, new in (
        ("chips = 6", "chips = 7"), ("chips = 6", "seed = 1"), ("encoder:4", "encoder:2"),
        ("max_updates = 60", "max_updates = 61"), ("max_updates = 60", ""),
    ):  # fmt: skip
        study.write_text(STUDY.replace(old, new))
        assert StudyFile.load(study).cell(2).key not in keys


def test_other_code_is_another_cell(study, monkeypatch):
    before = StudyFile.load(study).cell(2)
    monkeypatch.setattr("recirc_hw.studies.study_file.code_version", lambda: "other")
    after = StudyFile.load(study).cell(2)
    assert after.key != before.key
    refused = run_cell(after)
    assert refused.status == "failed"
    assert "install the same" in refused.problem
    assert len(code_version()) == 16


def test_a_cell_s_chips_are_those_of_a_plain_yield(study, here):
    with sweep(study, out=study.parent / "a") as found:
        design = rh.Design.load(study.parent / "chip.toml")
        whole = rh.learning_yield(design, rh.tasks.encoder(4), chips=6, max_updates=60)
        assert found.outcomes(5).to_bytes() == whole.outcomes.to_bytes()
        row = dict(zip(found.columns, list(found.rows())[5], strict=True))
    assert row["learned"] == whole.learned
    assert (row["low"], row["high"]) == pytest.approx(whole.interval, abs=1e-12)
    assert row["mean_updates"] == whole.updates["mean"]


def test_a_cell_that_cannot_be_built_is_refused_alone(study, here):
    with sweep(study, out=study.parent / "a") as found:
        assert found.counts() == {"done": 4, "refused": 2}
        assert (
            "leaves no sign bit"
            in dict(zip(found.columns, next(found.rows()), strict=True))["problem"]
        )
    assert len(here) == 4


def test_a_poisoned_cell_fails_alone_with_its_traceback(study, here):
    study.write_text(
        STUDY[: STUDY.index("[[vary]]")]
        + '[[vary]]\nfield = "network.n_hidden[0]"\nvalues = [2, 1000000000000, 3]\n'
    )
    with sweep(study, out=study.parent / "a") as found:
        assert found.counts() == {"done": 2, "failed": 1}
        assert "MemoryError" in found.trace(1)
        assert "Traceback" in found.trace(1)
        assert found.trace(0) == ""
        with pytest.raises(rh.StudyError, match="no finished cell 1"):
            found.outcomes(1)
    here.clear()
    with sweep(study, out=study.parent / "a", resume=True):
        assert len(here) == 1  # a failure is tried again, what is done is not


# -- resuming and caching ------------------------------------------------------------------


def test_a_finished_cell_is_never_computed_again(study, here):
    with sweep(study, out=study.parent / "a") as first:
        before = list(first.rows())
    here.clear()
    with sweep(study, out=study.parent / "a", resume=True) as again:
        assert list(again.rows()) == before  # even the times
    assert here == []


def test_a_study_that_grows_keeps_what_was_computed(study, here):
    sweep(study, out=study.parent / "a").close()
    here.clear()
    study.write_text(STUDY.replace("[3, 6, 8]", "[8, 10, 3, 6]"))
    with sweep(study, out=study.parent / "a", resume=True) as grown:
        assert [cell.sections["substrate"]["weight_bits"] for cell in here] == [10, 10]
        with sweep(study, out=study.parent / "b") as fresh:
            assert results(grown) == results(fresh)


def test_cells_of_the_same_content_are_computed_once(study, here):
    study.write_text(STUDY.replace("[3, 6, 8]", "[8, 8, 6]"))
    with sweep(study, out=study.parent / "a") as found:
        assert found.counts() == {"done": 6}
        rows = results(found)
    assert len(here) == 4
    assert [row[3:] for row in rows[:2]] == [row[3:] for row in rows[2:4]]


def test_a_folder_with_a_study_is_not_touched_without_resume(study, here):
    sweep(study, out=study.parent / "a").close()
    with pytest.raises(rh.StudyError, match="--resume goes on with it"):
        sweep(study, out=study.parent / "a")


def test_ctrl_c_keeps_finished_cells(study, here):
    def stop(done, total, _):
        if done == 4:
            raise KeyboardInterrupt

    with sweep(study, out=study.parent / "a", progress=stop) as found:
        assert found.interrupted
        assert not found.complete
        assert sum(found.counts().values()) == 4
    with sweep(study, out=study.parent / "a", resume=True) as whole:
        assert whole.complete
        with sweep(study, out=study.parent / "b") as fresh:
            assert results(whole) == results(fresh)


# -- the store ------------------------------------------------------------------------------


def test_a_study_can_be_read_while_it_runs(study, here):
    seen = []

    def look(done, total, _):
        with Store.open(study.parent / "a") as found:
            seen.append(sum(1 for _ in found.rows()))

    sweep(study, out=study.parent / "a", progress=look).close()
    assert seen == [1, 2, 3, 4, 5, 6]


def test_two_processes_never_work_on_one_study(study, here):
    (study.parent / "a").mkdir()
    with open(study.parent / "a" / "study.sqlite.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(rh.CheckpointError, match="another study is writing"):
            sweep(study, out=study.parent / "a")
    assert not (study.parent / "a" / "study.sqlite").exists()


def test_a_locked_database_is_told_and_loses_nothing(study, here, monkeypatch):
    sweep(study, out=study.parent / "a").close()
    monkeypatch.setattr(store, "WAIT_S", 0.05)
    other = sqlite3.connect(study.parent / "a" / "study.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    study.write_text(STUDY.replace("[3, 6, 8]", "[3, 6, 8, 9]"))
    with pytest.raises(rh.StudyError, match="another program holds a lock"):
        sweep(study, out=study.parent / "a", resume=True)
    other.execute("ROLLBACK")
    other.close()
    with sweep(study, out=study.parent / "a", resume=True) as found:
        assert found.complete


def test_a_full_disk_is_told_and_loses_nothing(study, here, monkeypatch):
    real = store.Store.create.__func__

    def small(cls, folder, resume=False):
        made = real(cls, folder, resume)
        pages = made._connection.execute("PRAGMA page_count").fetchone()[0]
        made._connection.execute(f"PRAGMA max_page_count = {pages + 1}")
        return made

    study.write_text(STUDY.replace("chips = 6", "chips = 60"))
    with monkeypatch.context() as patch:
        patch.setattr(store.Store, "create", classmethod(small))
        with pytest.raises(rh.StudyError, match="the disk is full. Finished cells are kept"):
            sweep(study, out=study.parent / "a")
    with Store.open(study.parent / "a") as left:
        kept = left.counts().get("done", 0)
        assert 0 < kept < 4
    here.clear()
    with sweep(study, out=study.parent / "a", resume=True) as found:
        assert found.counts() == {"done": 4, "refused": 2}
    assert len(here) == 4 - kept


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_read_only_folder_is_told_and_can_be_read(study, here):
    folder = study.parent / "a"
    sweep(study, out=folder).close()
    folder.chmod(0o500)
    try:
        with pytest.raises((rh.StudyError, rh.CheckpointError), match="cannot write|read-only"):
            sweep(study, out=folder, resume=True)
        with Store.open(folder) as found:
            assert found.complete
    finally:
        folder.chmod(0o700)


def test_a_read_only_database_is_told(study, here, monkeypatch):
    sweep(study, out=study.parent / "a").close()
    real = sqlite3.connect
    monkeypatch.setattr(
        sqlite3, "connect",
        lambda path, **k: real(f"{path.resolve().as_uri()}?mode=ro", uri=True)
        if not isinstance(path, str) else real(path, **k),
    )  # fmt: skip
    study.write_text(STUDY.replace("[3, 6, 8]", "[3, 6, 8, 9]"))
    with pytest.raises(rh.StudyError, match="it is read-only"):
        sweep(study, out=study.parent / "a", resume=True)


@pytest.mark.parametrize("content", [b"no database at all" * 100, b""])
def test_what_is_no_study_is_told(tmp_path, content):
    (tmp_path / "study.sqlite").write_bytes(content)
    with pytest.raises(rh.StudyError, match="no database|format 0"):
        Store.open(tmp_path)
    with pytest.raises(rh.StudyError, match="holds no study"):
        Store.open(tmp_path / "nowhere")


def test_a_path_below_a_file_is_told(study):
    (study.parent / "file").write_text("")
    with pytest.raises(ValueError, match="cannot write"):
        sweep(study, out=study.parent / "file" / "a")


def test_the_table_comes_out_as_csv_parquet_and_pandas(study, here):
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    with sweep(study, out=study.parent / "a") as found:
        found.to_csv(study.parent / "table.csv")
        found.to_parquet(study.parent / "table.parquet")
        frame = found.to_pandas()
        rows = list(found.rows())
    with open(study.parent / "table.csv", newline="") as stream:
        lines = list(csv.reader(stream))
    assert len(lines) == 7
    assert lines[0][:4] == ["cell", "substrate.weight_bits", "rule.learning_rate", "status"]
    back = pandas.read_parquet(study.parent / "table.parquet")
    assert back["share"].tolist()[2:] == [row[6] for row in rows][2:]
    assert frame["learned"].sum() == sum(row[5] or 0 for row in rows)


def test_no_cache_grows_with_the_number_of_designs():
    """A worker meets a new design with every cell: what it keeps of each must have an end."""
    root = Path(rh.__file__).parent
    endless = {
        f"{path.relative_to(root)}:{node.name}"
        for path in root.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and node.args.args
        and any(isinstance(d, ast.Name) and d.id == "cache" for d in node.decorator_list)
    }  # fmt: skip
    few = {"programs/tables.py:rail_integer_bits", "tasks/images.py:_load"}
    assert endless <= few


@pytest.mark.slow
def test_a_hundred_thousand_cells_are_read_in_a_second_and_cost_no_memory(study, tmp_path):
    resource = pytest.importorskip("resource")
    line = 'field = "rule.learning_rate"\nfrom = 8.0\nto = 16.0\nsteps = {}\n'
    vary = "[[vary]]\n" + line.format(100_000)
    study.write_text(STUDY[: STUDY.index("[[vary]]")] + vary)
    one = run_cell(StudyFile.load(study).cell(0))
    with Store.create(tmp_path / "a") as writer:
        writer.describe(names=["rule.learning_rate"], cells=100_000)
        writer._connection.execute("PRAGMA synchronous = OFF")
        with writer._connection as connection:
            writer.add(0, "key", [8.0], one, 6)
            row = connection.execute("SELECT * FROM results").fetchone()
            marks = ", ".join("?" * len(row))
            connection.executemany(
                f"INSERT INTO results VALUES ({marks})",
                ((f"{i:064d}", *row[1:]) for i in range(1, 100_000)),
            )
            connection.executemany(
                "INSERT INTO cells VALUES (?, ?, '[8.5]')",
                ((i, f"{i:064d}") for i in range(1, 100_000)),
            )
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with Store.open(tmp_path / "a") as found:
        start = time.perf_counter()
        assert found.counts() == {"done": 100_000}
        assert len(list(found.rows(last=30))) == 30
        assert len(found.outcomes(0)) == 6
        assert sum(found.done(100_000)) == 100_000
        spent = time.perf_counter() - start
        assert sum(1 for _ in found.rows()) == 100_000
    assert spent < 1.0
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000  # kB


# -- workers ---------------------------------------------------------------------------------


def test_local_workers_give_what_this_process_gives(study, here, monkeypatch):
    with sweep(study, out=study.parent / "a") as alone:
        expected = results(alone)
    monkeypatch.undo()
    with sweep(study, out=study.parent / "b", processes=2) as found:
        assert results(found) == expected


@pytest.mark.slow
def test_a_cell_whose_worker_is_killed_is_run_again(study):
    study.write_text(STUDY.replace("chips = 6", "chips = 400"))
    cell = StudyFile.load(study).cell(5)
    with LocalWorkers(1) as crew:
        future = crew.submit(cell)
        while not crew._children:
            time.sleep(0.01)
        crew._children[0].kill()
        found = future.result(timeout=60)
        assert len(crew._children) == 2
    assert found.outcomes == run_cell(cell).outcomes


def test_a_cell_that_kills_every_worker_fails_alone(study, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with LocalWorkers(1) as crew:
        found = crew.submit(StudyFile.load(study).cell(5)).result(timeout=60)
    assert found.status == "failed"
    assert found.problem == "3 workers died of this cell, the last with exit code 1"


def test_memory_stays_flat_over_many_cells(study):
    """No more cells are in flight than the crew can take, whatever the study's size."""

    class Instant(Here):
        def submit(self, cell):
            done = Future()
            done.set_result(Result("failed", problem="not computed"))
            return done

    line = 'field = "rule.learning_rate"\nfrom = 8.0\nto = 16.0\nsteps = 300\n'
    study.write_text(STUDY[: STUDY.index("[[vary]]")] + "[[vary]]\n" + line)
    plan = StudyFile.load(study)
    with Store.create(study.parent / "a") as writer:
        writer.describe(names=plan.names, cells=plan.count)
        drive = _Drive(plan, writer, Instant(), None)
        sizes = []
        drive.progress = lambda *_: sizes.append(len(drive.flying) + len(drive.keys))
        drive.go()
        assert writer.counts() == {"failed": 300}
    assert max(sizes) <= 6


def test_wrong_workers_are_told():
    with pytest.raises(rh.StudyError, match="processes = 0"):
        workers(processes=0)
    pytest.importorskip("distributed")
    with pytest.raises(rh.StudyError, match="no Dask scheduler answers at 'nonsense'"):
        workers(scheduler="nonsense")


def test_the_study_s_record_tells_what_it_was(study, here):
    with sweep(study, out=study.parent / "a") as found:
        terms = json.loads(json.dumps(found.terms))
    assert terms["file"]["vary"][1]["from"] == 8.0
    assert terms["code"] == code_version()
    assert terms["versions"]["numpy"]
    assert terms["design"]["substrate"]["type"] == "fixed_point"
