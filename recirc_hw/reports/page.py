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
MOST_ROWS = 500  # of a figure's numbers as a table; the CSV file has all


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


def write_report(folder, title, sections, facts=None, lead="", name=PAGE):
    """Write a page and its pictures into `folder`; return the page's path.

    The page needs nothing beside it: pictures, numbers and style are inside. The same
    pictures lie next to it as PNG files, their numbers as CSV. Nothing half-written is
    left.

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
    name : str
        Of the page's file.

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
    files = {f"{part['anchor']}.png": part["png"] for part in parts}
    files |= {f"{part['anchor']}.csv": part["csv"] for part in parts}
    # A file name that was no text shows as "?" instead of breaking the page.
    return _write(Path(folder), files | {name: page.encode(errors="replace")}) / name


def _write(folder, files):
    """Write the files that have content, each of them whole; return the folder."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            if content:
                write_whole(folder / name, content)
    except OSError as error:
        raise DataError(f"cannot write into '{folder}': {error.strerror}") from None
    return folder


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
    part = {"anchor": anchor, "section": section, "paragraphs": paragraphs}
    if section.figure is None:
        return part | {"png": b"", "csv": b""}
    content, columns = png(section.figure), getattr(section.figure, "columns", {})
    width, height = np.frombuffer(content[16:24], ">u4") // SHARPNESS
    numbers = _csv(columns) if columns else b""
    return part | {
        "png": content,
        "csv": numbers,
        "picture": _data_uri("image/png", content),
        "numbers": _data_uri("text/csv;charset=utf-8", numbers),
        "drawn": _drawn(section.title, columns) if columns else None,
        "width": width,
        "height": height,
        "alt": getattr(section.figure, "alt", "") or f"Figure: {section.title}",
    }


def _drawn(title, columns):
    """Return a figure's numbers as a table, the first ones where there are many."""
    count = min(map(len, columns.values()))
    rows = tuple(
        zip(*(map(_cell, column[:MOST_ROWS]) for column in columns.values()), strict=True)
    )
    part = f"; the first {MOST_ROWS} of {count:,} rows, the CSV file has all"
    more = part if count > MOST_ROWS else ""
    return Table(f"Numbers drawn: {title}{more}", tuple(columns), rows)


def _csv(columns):
    """Return columns as the bytes of a CSV file."""
    stream = io.StringIO()
    rows = csv.writer(stream, lineterminator="\n")
    rows.writerow(columns)
    rows.writerows(zip(*(map(_cell, column) for column in columns.values()), strict=True))
    return stream.getvalue().encode()


def _cell(value):
    """Return a number with five digits, and text as it is."""
    return value if isinstance(value, str) else f"{value:.5g}"


def _data_uri(kind, content):
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
