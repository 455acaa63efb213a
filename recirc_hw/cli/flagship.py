"""The command that asks all questions at once: `study`."""

import textwrap
from pathlib import Path
from typing import Annotated

import typer

from recirc_hw import tasks
from recirc_hw.cli.asking import Asked, asking
from recirc_hw.cli.common import app, exit_code, fitting_task, print_json
from recirc_hw.designs import Design
from recirc_hw.errors import DesignError
from recirc_hw.studies import TITLES, Transfer, study
from recirc_hw.terminal import lines, out, study_progress, table, width
from recirc_hw.training.checkpoint import write_whole

JSON, PICTURE = "study.json", "loaded-or-learned.svg"


@app.command("study")
@asking
def study_command(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="DESIGN.toml",
            help="Chips on paper, to compare; without, one digital and one analog chip.",
        ),
    ] = None,
    chips: Annotated[
        int, typer.Option(min=1, help="For each answer, at most; see docs/studies.md.")
    ] = 80,
    at_least: Annotated[float, typer.Option(help="The share of chips that must learn.")] = 0.9,
    *,
    asked: Asked,
):
    """Ask six questions of a chip: yield, limits, blame, energy, and loading of weights."""
    designs = _designs(paths)
    chosen = fitting_task(next(iter(designs.values()))) if designs else "digits"
    with study_progress("study") as progress:
        found = study(
            designs, tasks.parse(asked.task or chosen), chips=chips, at_least=at_least,
            progress=progress, told=None if asked.as_json else tell, **asked.options,
        )  # fmt: skip
    page = None if asked.folder is None else _write(asked.folder, found)
    if asked.as_json:
        print_json(found.summary() | {"report": page and str(page)})
    else:
        _show(found, page)
    raise typer.Exit(exit_code(found.interrupted, found.learns is False))


def _designs(paths):
    """Return {name of the file: design}, or None where no file is given."""
    if not paths:
        return None
    designs = {path.stem: Design.load(path) for path in paths}
    if len(designs) < len(paths):
        raise DesignError(f"{', '.join(map(str, paths))}: want files of different names")
    return designs


def tell(answer):
    """Print an answer as it comes."""
    text = answer.text if answer.result else f"{answer.status}: {answer.text}"
    lines(_wrapped(f"{TITLES[answer.question]} {answer.chip}"), "bold", beside_bar=True)
    lines([*_wrapped(text), ""], beside_bar=True)


def _wrapped(text):
    """Return a text as lines that fit the terminal, or a page."""
    return textwrap.wrap(text, width() or 95, break_on_hyphens=False)


def _write(folder, found):
    """Leave the page, the JSON and the comparison's picture in a folder; return the page."""
    from recirc_hw.reports import answers_report, svg

    page = answers_report(folder, found)
    write_whole(folder / JSON, found.to_json().encode())
    compared = [a.result for a in found.answers if isinstance(a.result, Transfer)]
    varied = [one for one in compared if one.name is not None]
    if varied:
        write_whole(folder / PICTURE, svg(varied[0].plot()))
    return page


def _show(found, page):
    """Print all answers in few words, and where the rest is."""
    from recirc_hw.reports import lead

    rows = [
        (TITLES[answer.question], answer.chip, answer.brief if answer.result else answer.status)
        for answer in found.answers
    ]
    table("in short", ("question", "chip", "answer"), rows)
    out.print()
    lines(_wrapped(lead(found)))
    out.print(f"{found.wall_s:.0f} s, {found.cpu_s:.0f} s of processor", markup=False)
    if page is not None:
        out.print(f"report: {page}", markup=False)
    if found.interrupted:
        missing = ", ".join(f"{question} ({chip})" for question, chip in found.missing)
        lines(_wrapped(f"stopped by Ctrl-C; missing: {missing}"))
