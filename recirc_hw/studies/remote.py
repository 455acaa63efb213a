"""A bench whose chips are trained by the workers of a Dask scheduler."""

from concurrent.futures import FIRST_COMPLETED, CancelledError, wait
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

from recirc_hw import tasks
from recirc_hw.errors import DesignError, StudyError, TaskError
from recirc_hw.studies.cells import Cell, code_version, fingerprint
from recirc_hw.studies.cluster import ClusterWorkers, SchedulerLostError
from recirc_hw.studies.outcomes import BATCH_S, Bench, Outcomes
from recirc_hw.training.loop import interruptible

PATIENCE_S = 0.5  # between looks at the keyboard


def crew_of(scheduler):
    """Return a context of the workers of a scheduler; None where none is named.

    `scheduler` is an address, or workers that are at hand already: those stay.
    """
    if isinstance(scheduler, str):
        return ClusterWorkers(scheduler)
    return nullcontext(scheduler)


class RemoteBench(Bench):
    """Trains more and more chips of one design, in parts, wherever there are workers.

    The chips, and so their outcomes, are those of a `Bench` on this machine.

    Parameters
    ----------
    crew : ClusterWorkers
    design, task, seed, **training
        As `Bench` takes them; a worker uses one thread unless told otherwise.
    """

    def __init__(self, crew, design, task, seed, **training):
        super().__init__(design, task, seed, **training)
        self.crew, self.training = crew, training
        self.sections = design.sections()
        self.spec, self.task_fingerprint = _as_workers_find(task)

    def go_to(self, count, progress=None):
        """Train until `count` chips are done; see `Bench.go_to`.

        Raises
        ------
        StudyError
            If the scheduler is lost, or a worker fails.
        """
        flying, landed, ahead = {}, {}, self.done
        with interruptible() as stopped:
            try:
                while self.done < count:
                    while ahead < count and len(flying) < self.crew.capacity():
                        size = min(self.batch, self.largest, count - ahead)
                        flying[self.crew.submit(self._cell(ahead, size))] = ahead, size
                        ahead += size
                    for future in wait(flying, PATIENCE_S, FIRST_COMPLETED).done:
                        first, size = flying.pop(future)
                        landed[first] = self._outcomes(future, size)
                    self._line_up(landed, progress)
                    if stopped.is_set():
                        raise KeyboardInterrupt
            finally:
                for future in flying:
                    future.cancel()
        return self.outcomes

    def _cell(self, first, size):
        """Return the chips from number `first` on as a cell."""
        return Cell(
            self.sections, self.spec, self.task_fingerprint, self.seed + first, size,
            self.training, code_version(),
        )  # fmt: skip

    def _outcomes(self, future, size):
        """Return the outcomes of a part, and note how many chips to train at once after it."""
        try:
            result = future.result()
        except CancelledError:
            raise SchedulerLostError from None
        if result.status == "refused":
            raise DesignError(result.problem)
        if result.status == "failed":
            raise StudyError(f"a worker failed: {result.problem}")
        spent = max(result.wall_s, 1e-6)
        self.batch = max(1, min(4 * self.batch, int(size * BATCH_S / spent)))
        return Outcomes.from_bytes(result.outcomes, size)

    def _line_up(self, landed, progress):
        """Append the parts that follow on those before them."""
        while self.done in landed:
            self.parts.append(landed.pop(self.done))
            if progress is not None:
                progress(self.done)


def _as_workers_find(task):
    """Return the text by which workers find a task, and its fingerprint there.

    Raises
    ------
    TaskError
        If the task has no such text: its cases are not sent.
    """
    kind, colon, path = task.name.partition(":")
    text = f"{kind}:{Path(path).resolve()}" if colon else task.name
    try:
        found = tasks.parse(text)
        same = fingerprint(replace(task, name=found.name)) == fingerprint(found)
    except ValueError:
        same = False
    if not same:
        raise TaskError(
            f"task '{task.name}': workers find a task by its name, such as encoder(4) or "
            "file:cases.npy; one of your own arrays they cannot"
        )
    return text, fingerprint(found)
