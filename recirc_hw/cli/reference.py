"""Commands to look things up: `reproduce`, `info`, `demo`."""

import os
import platform
from pathlib import Path
from typing import Annotated

import typer

from recirc_hw.backends import BACKENDS, native
from recirc_hw.cli.common import DONE, NOT_LEARNED, AsJson, Backend, app, print_json
from recirc_hw.terminal import reproduction_progress, table
from recirc_hw.training.run import versions


@app.command("reproduce")
def reproduce_command(
    name: Annotated[str | None, typer.Argument(help="Which result; without, a list.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All of them.")] = False,
    quick: Annotated[bool, typer.Option(help="Digits-sized, in seconds.")] = False,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    backend: Backend = "native",
    folder: Annotated[Path, typer.Option("--out", help="Where figures go.")] = Path(
        "reproduced"
    ),
    as_json: AsJson = False,
):
    """List the papers' results, or run them by name: paper, ours, band, verdict."""
    from recirc_hw import reproduce

    if name is None and not every:
        if as_json:
            print_json(reproduce.names())
        else:
            table("results by name", ("name", "what"), reproduce.names().items())
        return
    results = []
    folder.mkdir(parents=True, exist_ok=True)
    for one in reproduce.names() if every else [name]:
        with reproduction_progress(one) as progress:
            result = reproduce.run(
                one, quick=quick, seed=seed, backend=backend, progress=progress
            )
        results.append(result)
        if not as_json:
            typer.echo(result.table())
        result.save_figure(folder / f"{one}.png")
        if not as_json:
            typer.echo(f"figure: {folder / f'{one}.png'}\n")
    if as_json:
        print_json([result.record() for result in results])
    outside = any(result.verdict == "outside" for result in results)
    raise typer.Exit(NOT_LEARNED if outside else DONE)


@app.command()
def info(as_json: AsJson = False):
    """Show versions, backends and the instruction set in use."""
    record = {
        **versions(),
        "machine": platform.machine(),
        "processors": len(os.sched_getaffinity(0)),
        "backends": list(BACKENDS),
        "instruction sets": list(native.ISAS),
        "instruction set in use": native.ISAS[-1],
        "data folder (RECIRC_HW_DATA)": os.environ.get("RECIRC_HW_DATA"),
    }
    if as_json:
        print_json(record)
    else:
        rows = [
            (k, ", ".join(v) if isinstance(v, list) else v or "-") for k, v in record.items()
        ]
        table("recirc_hw", ("what", ""), rows)


@app.command()
def demo(
    folder: Annotated[Path, typer.Option("--out", help="Where the page goes.")] = Path("demo"),
    as_json: AsJson = False,
):
    """Train 100 chips on the 4-2-4 encoder and one on real digits, and show them."""
    from recirc_hw.demo import run_demo

    record = run_demo(folder, quiet=as_json)
    if as_json:
        print_json(record)
