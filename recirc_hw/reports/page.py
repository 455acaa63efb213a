"""The page: one HTML file that holds its pictures, numbers and style."""

import base64
import csv
import io
import re
from dataclasses import dataclass
from pathlib import Path

import jinja2
import numpy as np
from matplotlib.figure import Figure

from recirc_hw.errors import DataError
from recirc_hw.reports.style import SHARPNESS, png
from recirc_hw.whole_files import write_whole

PAGE = "report.html"


@dataclass(frozen=True)
class Table:
    """Rows of text under a head, with a caption; the first cell of a row names it."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    @property
    def numeric(self):
        """Whether each column holds numbers alone, and so is aligned to the right."""
        cells = zip(*self.rows, strict=True)
        return [all(re.fullmatch(r"[-−+\d.,e% ]*|nan", str(c)) for c in cs) for cs in cells]


@dataclass(frozen=True)
class Section:
    """One part of a page.

    Parameters
    ----------
    title : str
    text : str
        Paragraphs, a blank line between them.
    figure : Figure, or None
        A `Picture` brings its own description and numbers.
    table : Table, or None
    listing : str
        Shown as it is, in a fixed-width font.
    anchor : str
        Names the section in links and its picture's file; by default from the title.
    """

    title: str
    text: str = ""
    figure: Figure | None = None
    table: Table | None = None
    listing: str = ""
    anchor: str = ""


def write_report(folder, title, sections, facts=None, lead=""):
    """Write a page and its pictures into `folder`; return the page's path.

    The page needs nothing beside it: pictures, numbers and style are inside. The
    same pictures lie next to it as PNG files. Nothing half-written is left.

    Parameters
    ----------
    folder : path
        Made where it is missing.
    title : str
    sections : list of Section
    facts : dict of str to str, or None
        What to know at a glance, at the head of the page.
    lead : str
        The page's one sentence.

    Raises
    ------
    DataError
        If the folder cannot be written; the message names it.
    """
    parts = [
        _part(section, anchor)
        for section, anchor in zip(sections, _anchors(sections), strict=True)
    ]
    page = _template().render(title=title, parts=parts, facts=facts or {}, lead=lead)
    files = {part["file"]: part["png"] for part in parts if part["png"]}
    return _write(Path(folder), files, page)


def _write(folder, files, page):
    """Write the pictures, then the page, each of them whole."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            write_whole(folder / name, content)
        # A file name that was no text shows as "?" instead of breaking the page.
        write_whole(folder / PAGE, page.encode(errors="replace"))
    except OSError as error:
        raise DataError(f"cannot write into '{folder}': {error.strerror}") from None
    return folder / PAGE


def _template():
    loader = jinja2.PackageLoader("recirc_hw.reports", "templates")
    environment = jinja2.Environment(
        loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )  # fmt: skip
    return environment.get_template("report.html")


def _anchors(sections):
    """Return each section's anchor, made of plain letters and different from all others."""
    taken = {"content", "contents", "top"}
    anchors = []
    for section in sections:
        plain = re.sub(r"[^a-z0-9]+", "-", (section.anchor or section.title).lower()).strip("-")
        plain = base = plain[:60] or "section"
        number = 2
        while plain in taken:
            plain, number = f"{base}-{number}", number + 1
        taken.add(plain)
        anchors.append(plain)
    return anchors


def _part(section, anchor):
    """Return what the template shows of one section."""
    paragraphs = [part.strip() for part in section.text.split("\n\n") if part.strip()]
    part = {"anchor": anchor, "section": section, "paragraphs": paragraphs, "png": b""}
    if section.figure is None:
        return part
    content = png(section.figure)
    width, height = np.frombuffer(content[16:24], ">u4") // SHARPNESS
    return part | {
        "png": content,
        "file": f"{anchor}.png",
        "picture": _data_uri("image/png", content),
        "width": width,
        "height": height,
        "alt": getattr(section.figure, "alt", "") or f"Figure: {section.title}",
        "numbers": _numbers(getattr(section.figure, "columns", {})),
    }


def _numbers(columns):
    """Return columns as a link to a CSV file, or an empty string where there are none."""
    if not columns:
        return ""
    return _data_uri("text/csv;charset=utf-8", _csv(columns))


def _csv(columns):
    """Return columns as the bytes of a CSV file."""
    stream = io.StringIO()
    rows = csv.writer(stream, lineterminator="\n")
    rows.writerow(columns)
    rows.writerows(zip(*(map(_cell, column) for column in columns.values()), strict=True))
    return stream.getvalue().encode()


def save_picture(figure, path):
    """Write a figure as PNG, and beside it its numbers as CSV; return the picture's path.

    Raises
    ------
    DataError
        If they cannot be written; nothing half-written is left.
    """
    path = Path(path).with_suffix(".png")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, png(figure))
        if figure.columns:
            write_whole(path.with_suffix(".csv"), _csv(figure.columns))
    except OSError as error:
        raise DataError(f"cannot write '{path}': {error.strerror}") from None
    return path


def _cell(value):
    """Return a number with five digits, and text as it is."""
    return value if isinstance(value, str) else f"{value:.5g}"


def _data_uri(kind, content):
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
