"""The site's sources: every public name has its entry, every result that is shown its page."""

import importlib
import io
import re
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np

import recirc_hw as rh
from recirc_hw import reproduce

DOCS = Path(__file__).parents[2] / "docs"
sys.path.insert(0, str(DOCS))


def text_of(*folders):
    return "\n".join(p.read_text() for f in folders for p in sorted((DOCS / f).glob("*.md")))


def test_every_public_name_is_in_the_reference():
    reference = text_of("api")
    shown = set(re.findall(r"auto(?:class|function):: (?:recirc_hw\.)?(\w+)$", reference, re.M))
    modules = re.findall(r"automodule:: ([\w.]+)", reference)
    for module in map(importlib.import_module, modules):
        shown |= set(getattr(module, "__all__", vars(module)))
    assert {"recirc_hw.tasks", "recirc_hw.substrates.devices"} <= set(modules)
    assert set(rh.__all__) - {"tasks", "devices"} <= shown


def test_every_result_is_listed_and_every_one_of_the_papers_is_on_their_pages():
    listed = (DOCS / "results" / "names.md").read_text()
    pages = text_of("papers")
    for name in reproduce.names():
        assert f"`{name}`" in listed
        if name.split("-")[0] in ("hinton", "baldi", "rumelhart", "lecture"):
            assert f"reproduce {name}`" in pages or f"results/{name}.md" in pages


def test_what_the_pages_include_is_there_and_came_from_a_reproduction():
    included = re.findall(r"\{include\} \.*/*(results/[\w-]+\.md)", text_of("papers", "."))
    assert len(included) > 10
    for path in set(included) - {"results/names.md"}:
        text = (DOCS / path).read_text()
        name = Path(path).stem
        assert f"recirc-hw reproduce {name}" in text
        assert (DOCS / "results" / f"{name}.png").stat().st_size > 1000


def test_equations_in_docstrings_stay_as_they_are_written():
    import docstrings

    lines = ["Do a thing with `x_y`.", "", "    y = a * b_", "    z = |y|", "", "So *y* it is."]
    docstrings.as_restructured(None, "class", "name", None, None, lines)
    assert lines == [
        "Do a thing with ``x_y``.", "", "::", "", "    y = a * b_", "    z = |y|", "",
        r"So \*y\* it is.",
    ]  # fmt: skip


def test_what_a_page_s_text_would_misread_is_escaped():
    import docstrings

    lines = ["Do.", "", "Parameters", "----------", "w_ : float", "    a * b of w_ and `c*d`"]
    docstrings.as_restructured(None, "class", "name", None, None, lines)
    assert lines[-1] == r"    a \* b of w\_ and ``c*d``"


def test_the_tutorial_s_code_runs_and_says_what_it_says():
    names = {"my_cases": np.random.default_rng(0).random((40, 9))}
    for block in re.findall(r"```python\n(.*?)```", (DOCS / "tutorial.md").read_text(), re.S):
        exec(block, names)
    assert (names["run"].learned, names["run"].updates) == (True, 23)
    assert names["chip6"].fabricate(7).train(rh.tasks.encoder(4)).learned


def test_a_picture_of_few_colours_keeps_each_line_s_own():
    from matplotlib.figure import Figure
    from PIL import Image
    from results import picture

    from recirc_hw.reproduce.figures import COLOURS

    figure = Figure(figsize=(10, 9), dpi=100)
    top, bottom = figure.subplots(2, 1)
    top.imshow(np.linspace(0, 1, 64)[None], cmap="gray_r", aspect="auto")
    for k, colour in enumerate(COLOURS):
        bottom.plot([0, 1], [k, k + 1], color=colour, linewidth=1.4)
    shown = Image.open(io.BytesIO(picture(SimpleNamespace(figure=figure)))).convert("RGB")
    found = np.array([colour for _, colour in shown.getcolors()])
    for colour in COLOURS:
        wanted = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
        assert np.abs(found - wanted).max(axis=1).min() <= 8
