"""Studies survive: kill -9 at any moment, dying workers, another machine's scheduler."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import recirc_hw as rh
from recirc_hw.studies import Store, sweep
from recirc_hw.studies.store import CIRCUMSTANCES

CHIP = Path(__file__).parents[2] / "examples" / "encoder_8bit.toml"
STUDY = f"""
design = "{CHIP}"
task = "encoder:4"
chips = 40
max_updates = 300
[[vary]]
field = "substrate.weight_bits"
values = [3, 6, 7, 8, 9, 10]
[[vary]]
field = "rule.learning_rate"
from = 4.0
to = 16.0
steps = 5
"""

pytestmark = pytest.mark.slow


@pytest.fixture
def study(tmp_path):
    path = tmp_path / "study.toml"
    path.write_text(STUDY)
    return path


def content(found):
    """Return everything in a study that must not depend on how it was computed."""
    keep = [i for i, name in enumerate(found.columns) if name not in CIRCUMSTANCES]
    rows = [tuple(row[i] for i in keep) for row in found.rows()]
    done = [row[0] for row in rows if "done" in row]
    return rows, [found.outcomes(number).to_bytes() for number in done]


def children(pid):
    """Return the processes whose parent is `pid`."""
    everyone = [int(path.name) for path in Path("/proc").glob("[0-9]*")]
    return [one for one in everyone if status(one)[1] == str(pid)]


def status(pid):
    """Return the state of a process and its parent's number."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[:2]
    except OSError:
        return ["gone", ""]


def is_alive(pid):
    return status(pid)[0] not in ("Z", "gone")


def test_kill_9_at_ten_random_moments_changes_nothing(study, tmp_path):
    start = time.monotonic()
    with sweep(study, out=tmp_path / "whole") as whole:
        expected = content(whole)
    length = time.monotonic() - start
    moments = random.Random(6)
    survived = 0
    for attempt in range(10):
        folder = tmp_path / str(attempt)
        running = subprocess.Popen(
            [sys.executable, "-m", "recirc_hw", "sweep", str(study), "--out", str(folder)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        time.sleep(moments.uniform(0.2, 1.0) * (length + 1.0))
        workers = children(running.pid)
        running.send_signal(signal.SIGKILL)
        running.wait()
        before = {}
        if (folder / "study.sqlite").exists():
            with Store.open(folder) as left:
                before = {row[0]: row for row in left.rows()}
        survived += 0 < len(before) < 30
        with sweep(study, out=folder, resume=True) as found:
            assert content(found) == expected
            after = {row[0]: row for row in found.rows()}
        for number, row in before.items():
            assert after[number] == row  # not even computed again: the times are the same
        deadline = time.monotonic() + 10
        while any(map(is_alive, workers)) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not any(map(is_alive, workers))
    assert survived >= 1  # some moments fell into the middle


@pytest.fixture
def cluster():
    """Start a Dask scheduler and two workers; yield (address, worker processes)."""
    pytest.importorskip("distributed")
    port, started = 20_000 + os.getpid() % 20_000, []
    address = f"tcp://127.0.0.1:{port}"

    def start(*words):
        code = "from dask.__main__ import main; main()"
        started.append(
            subprocess.Popen(
                [sys.executable, "-c", code, *words],
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )
        )  # fmt: skip
        return started[-1]

    start("scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard")
    workers = [
        start(
            "worker", address, "--nthreads", "1", "--no-nanny", "--no-dashboard",
            "--host", "127.0.0.1",
        )
        for _ in range(2)
    ]  # fmt: skip
    _wait_for(address, 2)
    yield address, workers
    for process in started:
        process.kill()
        process.wait()


def _wait_for(address, count):
    """Wait until a scheduler has so many workers."""
    from distributed import Client

    with Client(address, timeout=60, set_as_default=False) as client:
        client.wait_for_workers(count, timeout=60)


@pytest.mark.filterwarnings("default")
def test_a_cluster_that_loses_a_worker_gives_the_serial_results_bit_for_bit(
    study, tmp_path, cluster
):
    address, workers = cluster

    def lose_one(done, *_):
        if done == 12 and workers[0].poll() is None:
            workers[0].kill()

    with sweep(study, out=tmp_path / "alone", processes=1) as alone:
        expected = content(alone)
    with sweep(study, out=tmp_path / "many", scheduler=address, progress=lose_one) as found:
        assert workers[0].poll() is not None
        assert content(found) == expected
        assert found.counts() == {"done": 25, "refused": 5}


@pytest.mark.filterwarnings("default")
def test_questions_asked_of_a_cluster_have_the_answers_of_one_machine(cluster):
    address, workers = cluster
    design, task = rh.Design.load(CHIP), rh.tasks.encoder(4)
    rough = rh.Design(
        design.network, design.rule, design.substrate.replace(rounding="half_even")
    )
    short = {"max_updates": 200, "chips": 60}

    def lose_one(done, *_):
        if done > 20 and workers[0].poll() is None:
            workers[0].kill()

    questions = {
        "limit": lambda **more: rh.find_limit(
            design, "substrate.weight_bits", task, start=10, stop=5, at_least=0.5, **short,
            **more,
        ),
        "ablation": lambda **more: rh.ablate(rough, task, pairs=False, **short, **more),
        "yield": lambda **more: rh.learning_yield(design, task, decide=0.9, **short, **more),
    }  # fmt: skip
    for name, ask in questions.items():
        alone = ask(threads=1)
        many = ask(scheduler=address, progress=lose_one if name == "yield" else None)
        assert many.summary() == alone.summary()
    assert many.outcomes.to_bytes() == alone.outcomes.to_bytes()
    assert workers[0].poll() is not None


@pytest.mark.filterwarnings("default")
def test_a_poisoned_cell_on_a_cluster_fails_alone_with_its_traceback(study, tmp_path, cluster):
    head = STUDY[: STUDY.index("[[vary]]")]
    vary = '[[vary]]\nfield = "network.n_hidden[0]"\nvalues = [2, 1000000000000, 3]\n'
    study.write_text(head + vary)
    with sweep(study, out=tmp_path / "a", scheduler=cluster[0]) as found:
        assert found.counts() == {"done": 2, "failed": 1}
        assert "Traceback" in found.trace(1)
        assert "MemoryError" in found.trace(1)


@pytest.mark.filterwarnings("default")
def test_a_scheduler_that_goes_away_loses_no_finished_cell(study, tmp_path, cluster):
    from distributed import Client

    address = cluster[0]

    def stop(done, *_):
        if done == 12:
            with Client(address, set_as_default=False) as client:
                client.shutdown()

    with pytest.raises(rh.StudyError, match="the scheduler is lost"):
        sweep(study, out=tmp_path / "a", scheduler=address, progress=stop)
    with Store.open(tmp_path / "a") as left:
        assert sum(left.counts().values()) >= 12
    with sweep(study, out=tmp_path / "a", resume=True) as found:
        assert found.complete
