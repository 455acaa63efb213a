"""What the commands that ask questions of many chips have in common."""

import inspect
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Annotated

import typer

from recirc_hw.cli.common import AsJson, Backend, Seed, TaskSpec


@dataclass(frozen=True)
class Asked:
    """Options of every question; each field is one, and is told by its own help."""

    task: TaskSpec = None
    seed: Seed = 0
    confidence: Annotated[float, typer.Option(help="Of the intervals.")] = 0.95
    max_updates: Annotated[int | None, typer.Option(help="Weight updates at most.")] = None
    epochs: Annotated[int | None, typer.Option(help="Or passes over the cases.")] = None
    batch_size: Annotated[int | None, typer.Option(help="Cases per weight update.")] = None
    backend: Backend = "native"
    threads: Annotated[int | None, typer.Option(help="Chips in parallel.")] = None
    folder: Annotated[
        Path | None,
        typer.Option("--out", help="Folder for the page, its pictures, numbers and JSON."),
    ] = None
    as_json: AsJson = False

    @property
    def options(self):
        """What studies are to be given, by name; what the user left open is left out."""
        names = ("max_updates", "epochs", "batch_size", "threads")
        given = {name: getattr(self, name) for name in names}
        given = {name: value for name, value in given.items() if value is not None}
        own = {"seed": self.seed, "confidence": self.confidence, "backend": self.backend}
        return own | given


def asking(command):
    """Give a command the options of `Asked`, which it takes together as `asked`."""
    shared = inspect.signature(Asked).parameters
    own = [p for p in inspect.signature(command).parameters.values() if p.name != "asked"]
    every = [p.replace(kind=p.KEYWORD_ONLY) for p in (*own, *shared.values())]

    @wraps(command)
    def with_options(**given):
        asked = Asked(**{name: given.pop(name) for name in shared})
        return command(**given, asked=asked)

    # Typer reads what options there are from these two.
    with_options.__signature__ = inspect.Signature(every)
    with_options.__annotations__ = {p.name: p.annotation for p in every}
    return with_options
