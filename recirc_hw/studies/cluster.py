"""Who computes a study's cells: processes of this machine, or a Dask cluster.

Local workers are plain child processes, one cell at a time each, and need no set-up and
no extra package. `concurrent.futures` has a pool of processes, too, but one worker that
is killed breaks it for all, it imports the caller's script once more in every worker,
and its workers outlive a parent that is killed. A cluster is a Dask scheduler somewhere;
Dask itself places cells, and reruns those of workers that die.
"""

import os
import pickle
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import recirc_hw.studies.cells as cells_module
from recirc_hw.errors import StudyError
from recirc_hw.studies.cells import Result, code_version, run_cell

DEATHS = 3  # workers that may die of one cell
CONNECT_S = 10.0


class LocalWorkers:
    """Child processes of this one."""

    def __init__(self, count=None):
        self.count = len(os.sched_getaffinity(0)) if count is None else count
        self._threads = ThreadPoolExecutor(self.count, "study worker")
        self._mine = threading.local()
        self._children = []
        self._closing = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._closing = True
        for child in list(self._children):
            child.kill()
        self._threads.shutdown(cancel_futures=True)
        for child in self._children:
            child.wait()
            child.stdout.close()
            with suppress(OSError):  # what it was sent and did not read
                child.stdin.close()

    def capacity(self):
        """Return how many cells to keep in flight."""
        return 2 * self.count

    def submit(self, cell):
        """Return a future of a cell's `Result`."""
        return self._threads.submit(self._run, cell)

    def _run(self, cell):
        """Have a child run a cell; where it dies, start another, some times."""
        for _ in range(DEATHS):
            child = self._child()
            try:
                pickle.dump(cell, child.stdin)
                child.stdin.flush()
                return pickle.load(child.stdout)
            except (EOFError, OSError, pickle.UnpicklingError):
                self._mine.child = None
                child.kill()
                if self._closing:
                    return None
        code = child.wait()
        how = f"by signal {-code}" if code < 0 else f"with exit code {code}"
        return Result("failed", problem=f"{DEATHS} workers died of this cell, the last {how}")

    def _child(self):
        """Return this thread's child, started where it has none."""
        if getattr(self._mine, "child", None) is None:
            root = str(Path(cells_module.__file__).parents[2])
            paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
            self._mine.child = subprocess.Popen(
                [sys.executable, "-m", "recirc_hw.studies.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
            )
            self._children.append(self._mine.child)
        return self._mine.child


class ClusterWorkers:
    """The workers of a Dask scheduler, e.g. at tcp://10.0.0.1:8786."""

    def __init__(self, address):
        self.address = address
        self._client = _connected(address)
        self._check_versions()
        self._executor = self._client.get_executor(pure=False)
        self._seen, self._capacity = 0.0, 4

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._executor.shutdown(wait=False)
        self._client.close()

    def capacity(self):
        """Return how many cells to keep in flight; workers may come and go."""
        if time.monotonic() - self._seen > 1:
            with _or_lost():
                self._capacity = max(4, 2 * sum(self._client.nthreads().values()))
            self._seen = time.monotonic()
        return self._capacity

    def submit(self, cell):
        """Return a future of a cell's `Result`."""
        with _or_lost():
            return self._executor.submit(run_cell, cell)

    def _check_versions(self):
        """Refuse workers that would compute with other code."""
        try:
            found = self._client.run(code_version)
        except ImportError as error:
            self._client.close()
            raise StudyError(f"workers of {self.address} lack a package: {error}") from None
        other = next((name for name, code in found.items() if code != code_version()), None)
        if other is not None:
            self._client.close()
            raise StudyError(
                f"worker {other} runs version {found[other]} of the code, this machine "
                f"{code_version()}: install the same on both"
            )


class SchedulerLostError(StudyError):
    """The scheduler does not answer any more."""

    def __init__(self):
        super().__init__("the scheduler is lost")


@contextmanager
def _or_lost():
    """Turn what Dask raises once its scheduler does not answer into one clear error."""
    try:
        yield
    except (OSError, RuntimeError):
        raise SchedulerLostError from None


def _connected(address):
    """Return a Dask client, or say what is missing."""
    try:
        from distributed import Client
        from distributed.comm import parse_address, parse_host_port
    except ModuleNotFoundError:
        raise StudyError(
            "a cluster needs the package distributed: pip install 'recirc_hw[cluster]'"
        ) from None
    try:
        parse_host_port(parse_address(address)[1])  # before a client waits for nothing
        return Client(address, timeout=CONNECT_S, set_as_default=False)
    except (OSError, ValueError) as error:
        raise StudyError(f"no Dask scheduler answers at '{address}': {error}") from None


def workers(processes=None, scheduler=None):
    """Return who computes: a cluster where a scheduler is named, else this machine."""
    if scheduler is not None:
        return ClusterWorkers(scheduler)
    if processes is not None and (isinstance(processes, bool) or processes < 1):
        raise StudyError(f"processes = {processes!r}; allowed: a whole number, 1 or more")
    return LocalWorkers(processes)
