"""Sweeps: every cell of a study file, on one machine or many, kept as they come."""

from concurrent.futures import FIRST_COMPLETED, CancelledError, wait
from pathlib import Path

from recirc_hw.errors import DesignError, StudyError
from recirc_hw.studies.cells import Result, code_version
from recirc_hw.studies.cluster import SchedulerLostError, workers
from recirc_hw.studies.store import NAME, Store
from recirc_hw.studies.study_file import StudyFile
from recirc_hw.training.checkpoint import alone_at
from recirc_hw.training.run import versions

PATIENCE_S = 0.5  # between looks at who else could work


def sweep(path, *, out=None, resume=False, processes=None, scheduler=None, progress=None):
    """Compute every cell of a study, and return its `Store`, open for reading.

    A cell that was computed before, with the same content and the same code, is never
    computed again. One that cannot be built is "refused" and one that raises "failed";
    neither stops the others. Failed cells are tried once more with `resume`.

    Parameters
    ----------
    path : path of a study file, see `StudyFile`
    out : path, or None for studies/NAME of the file
        The study's folder.
    resume : bool
        Go on with a folder that holds a study.
    processes : int, or None for one per processor
        Workers on this machine.
    scheduler : str, or None
        The address of a Dask scheduler, e.g. "tcp://10.0.0.1:8786", whose workers
        compute instead.
    progress : callable(done cells, all cells, text), or None

    Returns
    -------
    Store; after Ctrl-C with the cells that were done, and `interrupted` set.

    Raises
    ------
    StudyError
        For a study file that cannot be used, naming the field; a folder or disk that
        cannot be written; a folder that another process works on; a lost scheduler.
    """
    study = StudyFile.load(path)
    folder = Path("studies") / Path(path).stem if out is None else Path(out)
    if not resume and (folder / NAME).exists():
        raise StudyError(f"'{folder}' holds a study already; --resume goes on with it")
    interrupted = False
    with alone_at(folder / NAME, "study"), Store.create(folder, resume) as store:
        store.describe(
            names=study.names, cells=study.count, task=study.task.name,
            task_fingerprint=study.task_fingerprint, design=study.design.sections(),
            file=study.file.model_dump(by_alias=True), code=code_version(), versions=versions(),
            batch_size=study.training.get("batch_size", study.task.batch_size),
        )  # fmt: skip
        try:
            with workers(processes, scheduler) as crew:
                _Drive(study, store, crew, progress).go()
        except KeyboardInterrupt:
            interrupted = True
        except SchedulerLostError as lost:
            raise StudyError(f"{lost}; finished cells are kept, go on with --resume") from None
    found = Store.open(folder)
    found.interrupted = interrupted
    return found


class _Drive:
    """Hands out cells, a few at a time, and writes down what comes back."""

    def __init__(self, study, store, crew, progress):
        self.study, self.store, self.crew, self.progress = study, store, crew, progress
        self.flying = {}  # future: (number, key, values)
        self.keys = {}  # key: (number, values) of cells that wait for the same one
        self.done, self.tally = 0, {}

    def go(self):
        """Compute every cell that is not computed yet."""
        waiting = self._to_do()
        more = True
        while more or self.flying:
            while more and len(self.flying) < self.crew.capacity():
                found = next(waiting, None)
                more = found is not None
                if more:
                    place, cell = found
                    self.flying[self.crew.submit(cell)] = place
            if self.flying:
                finished = wait(self.flying, PATIENCE_S, FIRST_COMPLETED).done
                for future in finished:
                    self._note(future, *self.flying.pop(future))

    def _to_do(self):
        """Yield ((number, key, values), cell) of every cell to compute; place the others."""
        before = self.store.done(self.study.count)
        for number in range(self.study.count):
            if before[number]:
                self._count("done")
                continue
            values = self.study.values(number)
            try:
                cell = self.study.cell(number)
            except DesignError as error:
                key = f"refused {code_version()} {values!r}"
                self._keep(number, key, values, Result("refused", problem=str(error)))
                continue
            key = cell.key
            if key in self.keys:
                self.keys[key].append((number, values))
            elif self.store.finished(key):
                self.store.place(number, key, values)
                self._count("done")
            else:
                self.keys[key] = []
                yield (number, key, values), cell

    def _note(self, future, number, key, values):
        """Write down the result of a cell, and of those with the same content."""
        try:
            result = future.result()
        except CancelledError:
            raise SchedulerLostError from None
        except Exception as error:  # what the cluster says of a cell, not the cell itself
            result = Result("failed", problem=f"{type(error).__name__}: {error}")
        self._keep(number, key, values, result)
        for twin, same in self.keys.pop(key):
            self.store.place(twin, key, same)
            self._count(result.status)

    def _keep(self, number, key, values, result):
        self.store.add(number, key, values, result, self.study.file.chips)
        self._count(result.status)

    def _count(self, status):
        """Count a cell, and tell."""
        self.done += 1
        self.tally[status] = self.tally.get(status, 0) + 1
        if self.progress is not None:
            wrong = ", ".join(f"{n} {s}" for s, n in self.tally.items() if s != "done")
            self.progress(self.done, self.study.count, wrong)
