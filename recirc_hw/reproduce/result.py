"""What a reproduction reports: lines of paper, ours, interval, band and verdict."""

import io
import math
import textwrap
from dataclasses import dataclass, field
from pathlib import Path

from recirc_hw.text_tables import text_table
from recirc_hw.whole_files import write_whole

COLUMNS = ("result", "paper", "ours", "95 % interval", "n", "band", "verdict")


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
        Where a correct build falls; either end may be None, for open.
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
        """Whether `ours` is "inside" or "outside" the band, or there is "no band"."""
        if self.band is None:
            return "no band"
        low, high = self.band
        below = low is not None and not self.ours >= low
        above = high is not None and not self.ours <= high
        return "outside" if below or above else "inside"

    def cells(self):
        """Return the line as texts, in the order of `COLUMNS`."""
        count = "" if self.n is None else str(self.n)
        return (
            self.what, number(self.paper), number(self.ours), span(self.interval), count,
            span(self.band), self.verdict,
        )  # fmt: skip

    def record(self):
        """Return the line as plain values that JSON takes."""
        return {
            "what": self.what,
            "paper": self.paper,
            "ours": _finite(self.ours),
            "interval": self.interval and [_finite(end) for end in self.interval],
            "n": self.n,
            "band": self.band and list(self.band),
            "verdict": self.verdict,
        }


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
    figure : matplotlib.figure.Figure
    """

    name: str
    title: str
    source: str
    settings: dict
    lines: list[Line]
    figure: object = field(repr=False, default=None)

    @property
    def verdict(self):
        """Return "outside" if any line is, else "inside" if any is, else "no band"."""
        verdicts = {line.verdict for line in self.lines}
        return next((v for v in ("outside", "inside") if v in verdicts), "no band")

    def table(self, width=None):
        """Return everything but the figure as plain text, in lines of at most `width`."""
        lines = text_table(COLUMNS, [line.cells() for line in self.lines], width, rule=True)
        settings = [f"  {name}: {value}" for name, value in self.settings.items()]
        head = [f"{self.name}: {self.title}", f"Source: {self.source}", ""]
        texts = [*head, *lines, "", *settings, f"Verdict: {self.verdict}"]
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
