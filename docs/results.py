"""Run reproductions and write what the pages show of them: `make figures [NAMES="..."]`.

With --quick among the names, as `recirc-hw reproduce` has it.

Every number and figure of the papers' pages comes from here: results/NAME.md and
results/NAME.png are written by one run of `recirc-hw reproduce NAME`.
"""

import io
import os
import sys
from pathlib import Path

from PIL import Image

from recirc_hw import reproduce
from recirc_hw.training.checkpoint import write_whole

FOLDER = Path(__file__).parent / "results"
COLOURS = 96  # of a picture's palette: a third of the size, and looks the same
# Those that take many minutes each in full, and read images from the folder that RECIRC_HW_DATA
# names: quick without it.
LONG = (*(f"baldi-fig{number}" for number in range(5, 11)), "fixed-point-images")
SHOWN = (
    "hinton-encoder", "hinton-alignment", "hinton-eq9", "hinton-long-loops", "hinton-hierarchy",
    "baldi-fig4", "baldi-physical", "baldi-table5", "baldi-theory",
    "rumelhart-symmetry", "rumelhart-families", "rumelhart-iterative",
    "lecture-addition", "lecture-gradients", "fixed-point", "fixed-point-digits",
    "fixed-point-networks", *LONG,
    "analog", "spiking", "spiking-digits",
)  # fmt: skip


def page(result):
    """Return a result as Markdown: figure, table, settings, and the command."""
    settings = [f"{name}\n: {value}\n" for name, value in result.settings.items()]
    quick = " --quick" if result.settings["mode"] == "quick" else ""
    title = result.title[0].upper() + result.title[1:]
    return "\n".join([
        f"**{title}** ({result.source}). Verdict: *{result.verdict}*.\n",
        f"![{result.title}](/results/{result.name}.png)\n",
        f"    recirc-hw reproduce {result.name}{quick}\n",
        *(text for table in result.tables() for text in _table(*table)),
        _cell(result.footnote()), "",
        "<details><summary>What was chosen</summary>\n", *settings, "</details>", "",
    ])  # fmt: skip


def _table(title, head, rows):
    """Yield a table, with its title where it has one, as lines of Markdown."""
    yield from (f"{title}:", "") if title else ()
    yield f"| {' | '.join(head)} |\n|{' --- |' * len(head)}"
    yield from (f"| {' | '.join(map(_cell, row))} |" for row in rows)
    yield ""


def names_page():
    """Return the list of all results as Markdown."""
    rows = [
        f"| `{name}` | {_cell(title)} | {_cell(source)} |"
        for name, (title, source, _) in reproduce.RESULTS.items()
    ]
    return "\n".join(["| name | what | source |", "| --- | --- | --- |", *rows, ""])


def _cell(text):
    return text.replace("|", r"\|").replace("*", r"\*").replace("_", r"\_")


def picture(result):
    """Return a result's figure as the bytes of a PNG of few colours.

    The palette covers all that occur: a rare colour, of one line, is not averaged away.
    """
    drawn, small = io.BytesIO(), io.BytesIO()
    result.figure.savefig(drawn, format="png")
    with Image.open(drawn) as image:
        rgb = image.convert("RGB")
        few = rgb.quantize(COLOURS, method=Image.Quantize.MAXCOVERAGE, kmeans=4)
        few.save(small, "png", optimize=True)
    return small.getvalue()


def main(names):
    """Run some results, all that are shown where none is named, and write their pages."""
    FOLDER.mkdir(exist_ok=True)
    write_whole(FOLDER / "names.md", names_page().encode())
    named = [name for name in names if name != "--quick"]
    for name in named or SHOWN:
        without = name in LONG and "RECIRC_HW_DATA" not in os.environ
        quick = "--quick" in names or (not named and without)
        result = reproduce.run(name, quick=quick)
        write_whole(FOLDER / f"{name}.md", page(result).encode())
        write_whole(FOLDER / f"{name}.png", picture(result))
        print(f"{name}: {result.verdict}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
