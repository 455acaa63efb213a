"""Tasks by their text, for the command line: "encoder:8", "digits", "file:cases.npy"."""

import inspect
import re
from collections.abc import Callable

from recirc_hw.errors import TaskError, nearest
from recirc_hw.tasks.addition import addition
from recirc_hw.tasks.arrays import file
from recirc_hw.tasks.digits import digits
from recirc_hw.tasks.encoder import encoder
from recirc_hw.tasks.family_trees import family_trees
from recirc_hw.tasks.files import SUFFIXES
from recirc_hw.tasks.images import fashion, mnist
from recirc_hw.tasks.lowrank import lowrank
from recirc_hw.tasks.spikes import spikes
from recirc_hw.tasks.symmetry import symmetry
from recirc_hw.tasks.task import Task

TASKS: dict[str, Callable[..., Task]] = {
    "encoder": encoder,
    "lowrank": lowrank,
    "digits": digits,
    "mnist": mnist,
    "fashion": fashion,
    "symmetry": symmetry,
    "family_trees": family_trees,
    "addition": addition,
    "file": file,
    "spikes": spikes,
}

_FORM = re.compile(r"\s*([^:(]*?)\s*(?::(?P<colon>.*)|\((?P<round>.*)\)\s*)?", re.DOTALL)


def names() -> tuple[str, ...]:
    """Return the names that `parse` knows."""
    return tuple(TASKS)


def parse(spec: str) -> Task:
    """Return the task that a text such as "encoder:8" or "lowrank(100,20)" describes.

    Parameters
    ----------
    spec : str
        A name, or "name:arguments", or "name(arguments)". The arguments are whole
        numbers with commas between them; that of `file` is a path, those of `spikes`
        are a path and, where the last units may be silent, the number of units.
        "addition:1-8" are numbers of 1 to 8 bits.

    Raises
    ------
    TaskError
        If the name is unknown, or an argument is missing, too many, or wrong.
    DataError
        If the task's file is missing or damaged.
    """
    name, arguments = _take_apart(spec)
    if name not in TASKS:
        hint = _file_hint(spec) or nearest(name, TASKS)
        raise TaskError(f"unknown task '{name}'{hint}; allowed: {_forms()}")
    if name == "file":
        return TASKS[name](_path(name, arguments))
    if name == "spikes":
        path, units = _units(arguments)
        return TASKS[name](_path(name, path), units)
    lengths = re.fullmatch(r"([0-9]{1,20})\s*-\s*([0-9]{1,20})", arguments)
    if name == "addition" and lengths:
        return addition(int(lengths[2]), fewest_bits=int(lengths[1]))
    return TASKS[name](*_numbers(name, arguments))


def _take_apart(spec):
    """Return a spec's name and the text of its arguments, which may be empty."""
    if not isinstance(spec, str):
        raise TaskError(f"task = {spec!r}; allowed: text, such as {_forms()}")
    match = _FORM.fullmatch(spec)
    if not match:
        raise TaskError(f"task '{spec}': a closing ')' is missing, or text follows it")
    return match[1], (match["colon"] or match["round"] or "").strip()


def _numbers(name, text):
    """Return the arguments as int, as many as the task takes."""
    parameters = inspect.signature(TASKS[name]).parameters
    given = [part.strip() for part in text.split(",")] if text else []
    fewest = sum(p.default is p.empty for p in parameters.values())
    if not fewest <= len(given) <= len(parameters):
        takes = ", ".join(parameters) if parameters else "no arguments"
        raise TaskError(f"task '{name}' takes {takes}; given: {text or 'nothing'}")
    pairs = zip(parameters, given, strict=False)
    return [_whole(f"{name}: {parameter}", part) for parameter, part in pairs]


def _whole(label, text):
    """Return the text as an int."""
    if not re.fullmatch(r"[+-]?[0-9]{1,20}", text):
        raise TaskError(f"{label} = '{text}'; allowed: a whole number")
    return int(text)


def _units(text):
    """Return the path of spikes, and the number of units that may follow it, or None."""
    match = re.fullmatch(r"(.*?)\s*,\s*([0-9]{1,20})", text, re.DOTALL)
    return (match[1], int(match[2])) if match else (text, None)


def _path(name, text):
    """Return the path of a task from a file."""
    if not text:
        example = {"file": "file:cases.npy", "spikes": "spikes:trains.csv"}[name]
        raise TaskError(f"task '{name}' takes a path, such as {example}")
    return text


def _forms():
    """Return how each task is written, for a message."""
    return (
        "encoder:N, lowrank:D,RANK, digits, mnist, fashion, symmetry:N, family_trees, "
        "addition:[FEWEST-]BITS, file:PATH, spikes:PATH[,UNITS]"
    )


def _file_hint(spec):
    """Return advice for somebody who gave the bare path of a file."""
    is_path = spec.strip().lower().endswith(SUFFIXES)
    return f" (a file is written file:{spec.strip()})" if is_path else ""
