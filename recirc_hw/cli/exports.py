"""Commands that write a chip out for others to run: `export spice`."""

from pathlib import Path
from typing import Annotated

import typer

from recirc_hw import tasks
from recirc_hw.cli.common import AsJson, DesignFile, TaskSpec, app, fitting_task, print_json
from recirc_hw.designs import Design
from recirc_hw.errors import TaskError
from recirc_hw.exports import write_spice
from recirc_hw.terminal import out

export = typer.Typer(help="Write a chip out for others to run.", no_args_is_help=True)
app.add_typer(export, name="export")


@export.command("spice")
def spice_command(
    path: DesignFile,
    folder: Annotated[Path, typer.Option("--out", help="Where it goes.")] = Path("build"),
    seed: Annotated[int, typer.Option(min=0, help="Which chip.")] = 0,
    task: TaskSpec = None,
    case: Annotated[int, typer.Option(min=0, help="Which of the task's cases.")] = 0,
    plasticity: Annotated[bool, typer.Option(help="Weight changes, too, as nodes.")] = False,
    as_json: AsJson = False,
):
    """Write the SPICE netlist of an analog chip, mismatch included, and one case."""
    design = Design.load(path)
    found = tasks.parse(fitting_task(design) if task is None else task)
    if case >= len(found.train):
        raise TaskError(f"--case {case}: {found.name} has cases 0..{len(found.train) - 1}")
    netlist = write_spice(folder, design.fabricate(seed), found.train[case], plasticity)
    if as_json:
        print_json({"netlist": str(netlist), "table": f"{netlist.stem}.txt"})
    else:
        out.print(f"wrote {netlist}; next: ngspice -b {netlist}", markup=False)
