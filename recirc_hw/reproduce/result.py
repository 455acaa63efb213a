"""What a reproduction reports: lines of paper, ours, interval, band and verdict."""

import io
import math
import textwrap
from dataclasses import dataclass, field
from pathlib import Path

from recirc_hw.text_tables import text_table
from recirc_hw.whole_files import write_whole

COLUMNS = ("result", "paper", "ours", "95 % interval", "n", "band", "verdict")
BESIDE = "Measured beside, with no number to hold it to"
DIFFERS = "* The paper's number lies outside our 95 % interval."


@dataclass(frozen=True)
class Line:
    """One number of a paper, and ours.

    Parameters
    ----------
    what : str
        What was measured, in words, with its unit.
    ours : float
    interval : (low, high), or None
        95 % confidence interval of `ours`; None where nothing is random.
    paper : float, or None
        What the paper prints; None where it prints no number.
    band : (low, high), or None
        Where a correct build falls; either end may be None, for open. None where
        nothing is known to hold `ours` to.
    n : int, or None
        Chips that `ours` is taken over.
    """

    what: str
    ours: float
    interval: tuple[float, float] | None = None
    paper: float | None = None
    band: tuple[float | None, float | None] | None = None
    n: int | None = None

    @property
    def verdict(self):
        """Whether `ours` is "inside" or "outside" the band; None where there is none."""
        if self.band is None:
            return None
        low, high = self.band
        below = low is not None and not self.ours >= low
        above = high is not None and not self.ours <= high
        return "outside" if below or above else "inside"

    @property
    def differs(self):
        """Whether the paper's number lies outside our interval."""
        if self.paper is None or self.interval is None:
            return False
        return not self.interval[0] <= self.paper <= self.interval[1]

    def cells(self):
        """Return the line as texts, in the order of `COLUMNS`; without a band, up to n."""
        count = "" if self.n is None else str(self.n)
        paper = number(self.paper) + " *" * self.differs
        cells = (self.what, paper, number(self.ours), span(self.interval), count)
        return cells if self.band is None else (*cells, span(self.band), self.verdict)

    def record(self):
        """Return the line as plain values that JSON takes."""
        return {
            "what": self.what,
            "paper": self.paper,
            "ours": _finite(self.ours),
            "interval": self.interval and [_finite(end) for end in self.interval],
            "n": self.n,
        } | ({} if self.band is None else {"band": list(self.band), "verdict": self.verdict})


@dataclass(frozen=True)
class Result:
    """A named result of a paper, reproduced.

    Parameters
    ----------
    name, title, source : str
        What `run` calls it, what it shows, where the paper shows it.
    settings : dict of str to plain value
        Everything that was chosen, by the paper or by us.
    lines : list of Line
        Those that are judged: each has a band. `ValueError` where there are none.
    beside : list of Line
        What was measured with them, and has none.
    figure : matplotlib.figure.Figure
    """

    name: str
    title: str
    source: str
    settings: dict
    lines: list[Line]
    beside: list[Line] = field(default_factory=list)
    figure: object = field(repr=False, default=None)

    def __post_init__(self):
        if not any(line.verdict for line in self.lines):
            raise ValueError(f"result '{self.name}': no line has a band to be judged by")

    @property
    def verdict(self):
        """Return "outside" if any judged line is, else "inside"."""
        outside = any(line.verdict == "outside" for line in self.lines)
        return "outside" if outside else "inside"

    def tables(self):
        """Yield (title, head, rows of texts): of what is judged, and of what is not."""
        for title, lines in (("", self.lines), (BESIDE, self.beside)):
            rows = [line.cells() for line in lines]
            if rows:
                yield title, COLUMNS[: len(rows[0])], rows

    def footnote(self):
        """Return what the stars in the tables say; nothing where there are none."""
        return DIFFERS if any(line.differs for line in (*self.lines, *self.beside)) else ""

    def table(self, width=None):
        """Return everything but the figure as plain text, in lines of at most `width`."""
        lines = []
        for title, head, rows in self.tables():
            lines += [f"{title}:", ""] if title else []
            lines += [*text_table(head, rows, width, rule=True), ""]
        lines += [self.footnote(), ""] if self.footnote() else []
        settings = [f"  {name}: {value}" for name, value in self.settings.items()]
        head = [f"{self.name}: {self.title}", f"Source: {self.source}", ""]
        texts = [*head, *lines, *settings, f"Verdict: {self.verdict}"]
        if width is not None:
            texts = [line for text in texts for line in textwrap.wrap(text, width) or [""]]
        return "\n".join(texts)

    def save_figure(self, path):
        """Write the figure to `path`, whole or not at all, as PNG, SVG or PDF by suffix."""
        content = io.BytesIO()
        self.figure.savefig(content, format=Path(path).suffix[1:] or "png")
        write_whole(path, content.getvalue())

    def record(self):
        """Return everything but the figure as plain values that JSON takes."""
        return {
            "name": self.name,
            "title": self.title,
            "source": self.source,
            "settings": self.settings,
            "lines": [line.record() for line in self.lines],
            "beside": [line.record() for line in self.beside],
            "verdict": self.verdict,
        }


def number(value):
    """Return a number as a text of four figures, nothing for None."""
    if value is None:
        return ""
    if abs(value) < 1e-12:
        return "0"
    if 0.99995 <= abs(value) < 1 - 1e-9:
        return f"{value:.7f}"
    return f"{value:.4g}"


def span(ends):
    """Return "low .. high", ">= low" or "<= high"; nothing for None."""
    if ends is None:
        return ""
    low, high = ends
    if low is None:
        return f"<= {number(high)}"
    return f">= {number(low)}" if high is None else f"{number(low)} .. {number(high)}"


def _finite(value):
    """Return None for NaN and infinities, which JSON does not have."""
    return float(value) if math.isfinite(value) else None
