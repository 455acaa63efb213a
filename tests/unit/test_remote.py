"""Chips trained elsewhere, in parts: the same chips, and every way it can go wrong."""

from concurrent.futures import CancelledError, Future

import numpy as np
import pytest
from crew import Here

import recirc_hw as rh
from recirc_hw.studies.cells import Result
from recirc_hw.studies.outcomes import Bench
from recirc_hw.studies.remote import RemoteBench

TASK = rh.tasks.encoder(4)
CHIP = rh.Design(rh.Loop(4, 2), rh.Recirculation(learning_rate=16.0), rh.FixedPoint())
SHORT = {"max_updates": 40, "threads": 1}


class Late(Here):
    """Answers the last part first."""

    def __init__(self):
        super().__init__()
        self.waiting = []

    def capacity(self):
        return 3

    def submit(self, cell):
        future = Future()
        self.waiting.append((future, super().submit(cell).result()))
        if len(self.waiting) == 3:
            for one, result in reversed(self.waiting):
                one.set_result(result)
            self.waiting = []
        return future


def test_chips_trained_in_parts_elsewhere_are_those_of_one_bench():
    there = RemoteBench(Here(), CHIP, TASK, 5, **SHORT)
    here = Bench(CHIP, TASK, 5, **SHORT)
    for count in (3, 40):
        assert there.go_to(count).to_bytes() == here.go_to(count).to_bytes()
    assert len(there.crew.computed) > 1


def test_parts_are_put_in_order_whichever_comes_first():
    there = RemoteBench(Late(), CHIP, TASK, 0, **SHORT)
    there.batch = there.largest = 4
    seen = []
    found = there.go_to(12, seen.append)
    np.testing.assert_array_equal(found.seeds, range(12))
    assert seen == [4, 8, 12]


def test_a_question_asked_of_workers_has_the_same_answer():
    ask = {"chips": 60, "decide": 0.9, **SHORT}
    there = rh.learning_yield(CHIP, TASK, scheduler=Here(), **ask)
    assert there.summary() == rh.learning_yield(CHIP, TASK, **ask).summary()


class Answers(Here):
    def __init__(self, result):
        super().__init__()
        self.result = result

    def submit(self, cell):
        future = Future()
        if isinstance(self.result, Exception):
            future.set_exception(self.result)
        else:
            future.set_result(self.result)
        return future


@pytest.mark.parametrize(
    ("result", "kind", "words"),
    [
        (Result("refused", problem="no such chip"), rh.DesignError, "no such chip"),
        (Result("failed", problem="MemoryError"), rh.StudyError, "a worker failed: MemoryErr"),
        (CancelledError(), rh.StudyError, "the scheduler is lost"),
    ],
)
def test_what_goes_wrong_elsewhere_is_told(result, kind, words):
    with pytest.raises(kind, match=words):
        RemoteBench(Answers(result), CHIP, TASK, 0).go_to(5)


def test_a_task_of_ones_own_arrays_cannot_be_sent():
    task = rh.tasks.from_array(np.eye(4))
    with pytest.raises(rh.TaskError, match="workers find a task by its name"):
        rh.learning_yield(CHIP, task, scheduler=Here(), chips=2)


def test_a_task_of_a_file_is_found_by_its_whole_path(tmp_path, monkeypatch):
    np.save(tmp_path / "cases.npy", np.eye(4))
    monkeypatch.chdir(tmp_path)
    there = RemoteBench(Here(), CHIP, rh.tasks.parse("file:cases.npy"), 0, max_updates=2)
    assert there.spec == f"file:{tmp_path / 'cases.npy'}"
    assert len(there.go_to(2)) == 2


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nonsense", "udp://127.0.0.1:9"])
def test_an_address_where_no_scheduler_answers_is_told(monkeypatch, address):
    pytest.importorskip("distributed")
    monkeypatch.setattr("recirc_hw.studies.cluster.CONNECT_S", 0.2)
    with pytest.raises(rh.StudyError, match=f"no Dask scheduler answers at '{address}'"):
        rh.learning_yield(CHIP, TASK, scheduler=address, chips=2)
