"""A study's unit of work: one design, one task, some chips; pure, named by its content."""

import hashlib
import json
import platform
import socket
import time
import traceback
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

import recirc_hw.chips as chips_module
from recirc_hw import tasks
from recirc_hw.designs import Design
from recirc_hw.errors import DesignError, StudyError, TaskError, UnsupportedError
from recirc_hw.studies.outcomes import Bench
from recirc_hw.training.run import versions

# Parts of the package on which no result of a training depends.
APART = {
    "calibration", "cli", "demo", "design_file", "estimator", "exports", "ledger", "reports",
    "reproduce", "studies", "terminal", "theory",
}  # fmt: skip


@cache
def code_version():
    """Return a name for the code that computes results: other code, another name.

    It is the SHA-256 of the sources and the compiled core, with NumPy's and SciPy's
    versions and the kind of machine.
    """
    root = Path(chips_module.__file__).parent
    digest = hashlib.sha256(platform.machine().encode())
    for name in ("numpy", "scipy"):
        digest.update(f"{name} {versions()[name]};".encode())
    for path in sorted(root.rglob("*")):
        part = path.relative_to(root).parts[0].removesuffix(".py")
        if part not in APART and path.suffix in (".py", ".so", ".npz"):
            digest.update(path.relative_to(root).as_posix().encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


@dataclass(frozen=True)
class Cell:
    """One design of a study, the chips to train, and how; all as plain values."""

    sections: dict  # of the design, as `Design.sections` returns them
    task: str  # as `tasks.parse` takes it
    task_fingerprint: str
    seed: int
    chips: int
    training: dict  # as `train` takes it
    code: str

    @property
    def key(self):
        """The SHA-256, in hex, of everything that the result depends on."""
        parts = [
            self.sections, self.task_fingerprint, self.seed, self.chips, self.training,
            self.code,
        ]  # fmt: skip
        text = json.dumps(parts, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


def fingerprint(task):
    """Return the SHA-256, in hex, of a task's cases and of what it calls learned."""
    terms = (task.fingerprint, task.criterion, task.batch_size, task.epochs, task.until)
    return hashlib.sha256(repr(terms).encode()).hexdigest()


@dataclass(frozen=True)
class Result:
    """What came of a cell: "done", "refused" (no such chip can be) or "failed"."""

    status: str
    outcomes: bytes = b""  # as `Outcomes.to_bytes` writes them
    problem: str = ""  # one line
    trace: str = ""  # the whole story of a failure
    wall_s: float = 0.0
    worker: str = ""


def run_cell(cell):
    """Train a cell's chips; never raise: a failure is a result of its own."""
    start = time.monotonic()
    told = {"worker": socket.gethostname()}
    try:
        outcomes = _trained(cell)
    except (DesignError, TaskError, UnsupportedError) as error:
        return Result("refused", problem=_one_line(error), **told)
    except Exception as error:
        problem = _one_line(f"{type(error).__name__}: {error}")
        return Result("failed", problem=problem, trace=traceback.format_exc(), **told)
    spent = time.monotonic() - start
    return Result("done", outcomes.to_bytes(), wall_s=spent, **told)


def _trained(cell):
    """Return the outcomes of a cell's chips."""
    if cell.code != code_version():
        raise StudyError(
            f"this worker runs version {code_version()} of the code, the study {cell.code}: "
            "install the same on all machines"
        )
    task, known = _task(cell.task)
    if known != cell.task_fingerprint:
        raise StudyError(f"task {cell.task} has other cases on this machine")
    design = Design.from_sections(cell.sections)
    training = {"threads": 1, **cell.training}
    return Bench(design, task, cell.seed, **training).go_to(cell.chips)


@lru_cache(maxsize=4)
def _task(spec):
    """Return a task and its fingerprint."""
    task = tasks.parse(spec)
    return task, fingerprint(task)


def _one_line(message):
    return " ".join(str(message).split())
