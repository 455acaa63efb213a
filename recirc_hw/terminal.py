"""What the command line shows: progress, tables, errors. Plain text when piped."""

import sys
import time
from contextlib import contextmanager

import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table

out = Console(highlight=False, soft_wrap=True, emoji=False)
err = Console(stderr=True, highlight=False, soft_wrap=True, emoji=False)

BLOCKS = " .:-=+*#%@"


def failed(message):
    """Print an error, one line, to standard error."""
    err.print("[bold red]error:[/]", end=" ")
    err.print(str(message), markup=False)


@contextmanager
def training_progress(label):
    """Yield a callback for `train`: a live bar on a terminal, silent when piped."""
    if not err.is_terminal:
        yield None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("updates  {task.fields[rate]}  error {task.fields[error]}"),
        TimeRemainingColumn(),
    )
    start = time.monotonic()
    with Progress(*columns, console=err, transient=True) as bar:
        job = bar.add_task(escape(label), total=None, rate="", error="")

        def advance(done, total, error):
            rate = f"{done / max(time.monotonic() - start, 1e-6):,.0f}/s"
            bar.update(job, completed=done, total=total, rate=rate, error=f"{error:.4g}")

        yield advance


@contextmanager
def reproduction_progress(name):
    """Yield a callback for `reproduce.run`: which training runs, and how far it is."""
    if not err.is_terminal:
        yield None
        return
    columns = (TextColumn(name), BarColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=err, transient=True) as bar:
        job = bar.add_task("", total=None)
        yield lambda label, done, total: bar.update(
            job, description=escape(label), completed=done, total=total
        )


@contextmanager
def study_progress(label):
    """Yield a callback for studies: how much is done, and what came of it so far."""
    if not err.is_terminal:
        yield None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[text]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=err, transient=True) as bar:
        job = bar.add_task(escape(label), total=None, text="")
        yield lambda done, total, text: bar.update(
            job, completed=done, total=total, text=escape(text)
        )


def table_of(title, head, rows):
    """Return a table to print, or to show live."""
    shown = Table(
        title=escape(title), title_justify="left", title_style="bold", box=None, pad_edge=False
    )
    for column, name in enumerate(head):
        shown.add_column(name, justify="left" if column == 0 else "right", overflow="fold")
    for row in rows:
        shown.add_row(*(escape(str(cell)) for cell in row))
    return shown


def table(title, head, rows):
    """Print a table."""
    out.print(table_of(title, head, rows))


def pictures(rows, shape):
    """Print rows of images as characters, one row of images under another.

    Parameters
    ----------
    rows : list of float arrays, shape (n_images, height * width), values in 0..1
    shape : (height, width)
    """
    shades = np.array(list(BLOCKS))
    for images in rows:
        levels = np.clip(images, 0, 1) * (len(BLOCKS) - 1)
        grid = shades[np.rint(levels).astype(int)].reshape(len(images), *shape)
        for line in range(shape[0]):
            cells = ("".join(np.repeat(image[line], 2)) for image in grid)
            out.print("  ".join(cells), markup=False)
        out.print("")


def is_interactive():
    """Return whether a person is at both ends."""
    return sys.stdin.isatty() and sys.stdout.isatty()
