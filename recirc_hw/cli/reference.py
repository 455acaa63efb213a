"""Commands to look things up: `reproduce`, `cost`, `devices`, `info`, `demo`."""

import os
import platform
from pathlib import Path
from typing import Annotated

import typer

from recirc_hw import tasks
from recirc_hw.backends import BACKENDS, native
from recirc_hw.cli.common import DONE, NOT_LEARNED, AsJson, Backend, DesignFile, app, print_json
from recirc_hw.designs import Design
from recirc_hw.errors import DesignError, nearest
from recirc_hw.ledger import cost, side_by_side
from recirc_hw.rules import RULES
from recirc_hw.substrates import FixedPoint
from recirc_hw.substrates.devices.catalogue import catalogue
from recirc_hw.terminal import reproduction_progress, show_devices, table, width
from recirc_hw.training.run import versions
from recirc_hw.whole_files import write_whole


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

    if name is not None and every:
        raise ValueError(f"--all is for all results, '{name}' for one: give one or the other")
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
            typer.echo(result.table(width()))
        result.save_figure(folder / f"{one}.png")
        if not as_json:
            typer.echo(f"figure: {folder / f'{one}.png'}\n")
    if as_json:
        print_json([result.record() for result in results])
    outside = any(result.verdict == "outside" for result in results)
    raise typer.Exit(NOT_LEARNED if outside else DONE)


@app.command("cost")
def cost_command(
    path: DesignFile,
    task: Annotated[
        str | None,
        typer.Option(help="Measure the activity on its cases, and write once for its batch."),
    ] = None,
    prices: Annotated[
        str, typer.Option(metavar="NAME|FILE.toml[:NAME]", help="A price list.")
    ] = "digital-45nm",
    against: Annotated[
        str | None,
        typer.Option(metavar="RULE", help=f"The same design by: {', '.join(RULES)}."),
    ] = None,
    as_json: AsJson = False,
):
    """Show energy, operations and memory: of an inference, and of a learned example."""
    design = Design.load(path)
    designs = [design]
    if against is not None:
        designs.append(design.with_rule(against))
    found = None if task is None else tasks.parse(task)
    costs = [cost(one, found, prices) for one in designs]
    if as_json:
        other = costs[1].record() if against else None
        print_json(costs[0].record() | {"against": other})
    else:
        typer.echo(side_by_side(*costs))


@app.command("devices")
def devices_command(
    name: Annotated[str | None, typer.Argument(help="A model or preset; without, all.")] = None,
    folder: Annotated[Path, typer.Option("--out", help="Where pictures go.")] = Path("devices"),
    as_json: AsJson = False,
):
    """List synapse devices and presets with their numbers; draw their pulse responses."""
    from recirc_hw.reports.devices import device_response
    from recirc_hw.reports.style import png

    records = catalogue()
    if name is not None and name not in records:
        raise DesignError(
            f"device '{name}'{nearest(name, records)}; there are {', '.join(records)}"
        )
    folder.mkdir(parents=True, exist_ok=True)
    shown = records if name is None else {name: records[name]}
    for one, record in shown.items():
        picture = device_response(record.pop("device"), f"{one}: {record['what']}")
        record["picture"] = str(folder / f"{one}.png")
        write_whole(folder / f"{one}.png", png(picture))
    if as_json:
        print_json(shown)
    else:
        show_devices(shown)


@app.command()
def info(
    path: Annotated[
        Path | None, typer.Argument(metavar="[DESIGN.toml]", help="A chip on paper.")
    ] = None,
    batch_size: Annotated[
        int, typer.Option(min=1, help="Cases per weight update, which widths depend on.")
    ] = 1,
    as_json: AsJson = False,
):
    """Show versions, backends and instruction set; or a design's program and widths."""
    if path is not None:
        _show_design(Design.load(path), batch_size, as_json)
        return
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


def _show_design(design, batch_size, as_json):
    """Print what a chip executes and, where it has formats, how wide every signal is."""
    fixed = isinstance(design.substrate, FixedPoint)
    widths = design.widths(batch_size) if fixed else None
    listing = design.program if design.is_clocked else design.lowered()
    if as_json:
        print_json({
            "design": design.sections(), "program": str(listing).splitlines(),
            "batch_size": batch_size, "widths": widths and widths.record(),
        })  # fmt: skip
        return
    typer.echo(listing)
    if widths:
        typer.echo(f"\nhow wide every signal is, batches of {batch_size}:\n{widths}")


@app.command()
def demo(
    folder: Annotated[Path, typer.Option("--out", help="Where the page goes.")] = Path("demo"),
    as_json: AsJson = False,
):
    """Train chips on the 4-2-4 encoder and on real digits, load some, and show them."""
    from recirc_hw.demo import run_demo

    record = run_demo(folder, quiet=as_json)
    if as_json:
        print_json(record)
