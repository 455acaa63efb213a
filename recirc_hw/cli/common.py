"""What every command shares: the application, its options, exit codes, JSON."""

import json
from pathlib import Path
from typing import Annotated

import typer

from recirc_hw.backends import BACKENDS
from recirc_hw.errors import TaskError
from recirc_hw.training.run import versions

DONE, BAD_INPUT, NOT_LEARNED, INTERRUPTED = 0, 2, 3, 130

app = typer.Typer(
    help="Would this network learn on my chip?",
    epilog="Exit codes: 0 done and learned; 2 bad input; 3 done, not learned; 130 Ctrl-C.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)

DesignFile = Annotated[Path, typer.Argument(metavar="DESIGN.toml", help="The chip on paper.")]
TaskSpec = Annotated[
    str | None,
    typer.Option(
        "--task",
        help="encoder:N, digits, mnist, fashion, lowrank:D,RANK, "
        "addition:[FEWEST-]BITS or file:PATH; by default what fits the visible group.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object, for scripts.")]
Seed = Annotated[int, typer.Option(min=0, help="Which chip; with --chips, the first of them.")]
Backend = Annotated[str, typer.Option(help=f"Who computes: {' or '.join(BACKENDS)}.")]

Scheduler = Annotated[
    str | None, typer.Option(help="A Dask scheduler instead, e.g. tcp://10.0.0.1:8786.")
]


def print_json(record):
    """Print one JSON object and nothing else."""
    typer.echo(json.dumps(record, indent=1, allow_nan=False))


def _version(wanted: bool):
    if wanted:
        typer.echo(versions()["recirc_hw"])
        raise typer.Exit


@app.callback(help="Would this network learn on my chip?")
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show it.")
    ] = False,
):
    """Handle what stands before a command."""


def fitting_task(design):
    """Return the task that a visible group of this size is usually given."""
    size = design.network.case_size
    if size in (64, 784):
        return "digits" if size == 64 else "mnist"
    if 2 <= size <= 32:
        return f"encoder:{size}"
    raise TaskError(
        f"no built-in task has cases of {size} values; name one with --task, "
        "for your own data --task file:PATH"
    )


def exit_code(interrupted, negative=False):
    """Return what the outcome of a study means to a script."""
    if interrupted:
        return INTERRUPTED
    return NOT_LEARNED if negative else DONE
