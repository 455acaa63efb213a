"""Plain text: numbers with their nouns, and tables that fit a terminal."""

import re
import textwrap

GAP = "  "
WORD = 16  # letters; longer words may be cut where a column is narrow, shorter ones never
NUMBERS = re.compile(r"(?:[-+<>=.,*\s\d]|e[-+]?\d|nan|inf)*")


def counted(number, noun):
    """Return a number with its noun: "1 update", "2,874 updates"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def text_table(head, rows, width=None, rule=False):
    """Return a table as lines of text, of which words may wrap and numbers never do.

    Columns of numbers stand to the right, words to the left. A table that is too
    wide has its words wrapped; one that is too wide even so, has a line for every
    cell, row after row.

    Parameters
    ----------
    head : sequence of str
    rows : sequences of str
    width : int, or None for as wide as it takes
    rule : bool
        Whether a line stands below the head.

    Returns
    -------
    list of str
    """
    rows = [[str(cell) for cell in row] for row in rows]
    columns = list(zip(head, *rows, strict=True))
    widths = _widths(columns, width)
    if widths is None:
        return _stacked(head, rows, width)
    right = [bool(cells) and all(map(NUMBERS.fullmatch, cells)) for _, *cells in columns]
    lines = _lines(head, widths, right)
    lines += [GAP.join("-" * wide for wide in widths)] if rule else []
    return lines + [line for row in rows for line in _lines(row, widths, right)]


def _widths(columns, width):
    """Return each column's width, the widest wrapped first; None where nothing serves."""
    widths = [max(map(len, cells)) for cells in columns]
    least = [max(map(_longest_word, cells)) for cells in columns]
    room = None if width is None else width - len(GAP) * (len(columns) - 1)
    while room is not None and sum(widths) > room:
        spare = [wide if wide > few else 0 for wide, few in zip(widths, least, strict=True)]
        if not any(spare):
            return None
        widths[spare.index(max(spare))] -= 1
    return widths


def _longest_word(cell):
    """Return the width that a cell needs: that of a number, or of its longest word."""
    if NUMBERS.fullmatch(cell):
        return len(cell)
    return max((min(len(word), WORD) for word in cell.split()), default=0)


def _lines(row, widths, right):
    """Return one row, its cells wrapped to the columns' widths."""
    cells = [_wrapped(cell, wide) for cell, wide in zip(row, widths, strict=True)]
    found = []
    for k in range(max(map(len, cells))):
        parts = [cell[k] if k < len(cell) else "" for cell in cells]
        placed = [
            part.rjust(wide) if to_right else part.ljust(wide)
            for part, wide, to_right in zip(parts, widths, right, strict=True)
        ]
        found.append(GAP.join(placed).rstrip())
    return found


def _stacked(head, rows, width):
    """Return rows one below another, each cell a line with its name; empty ones left out."""
    wide = max(map(len, head))
    lines = []
    for row in rows:
        named = [
            f"{name.ljust(wide)}{GAP}{cell}"
            for name, cell in zip(head, row, strict=True)
            if cell
        ]
        lines += [line for text in named for line in _wrapped(text, width, GAP)] + [""]
    return lines[:-1]


def _wrapped(text, width, indent=""):
    """Return a text as lines of at most this width, broken between words."""
    width = max(width, 1 + len(indent))
    return textwrap.wrap(text, width, break_on_hyphens=False, subsequent_indent=indent) or [""]
