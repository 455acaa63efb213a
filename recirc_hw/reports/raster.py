"""Who fired when: rasters, the phases shaded, and the units' rates."""

import numpy as np
from matplotlib.ticker import MaxNLocator

from recirc_hw.reports.style import MUTED, RULE, Picture, legend_above, line_style, styled

SHOWN = 6  # units whose rates are drawn
DOTS = 20_000  # spikes of a group that are drawn, at most
SHADED, NAMED = 200, 8  # phases that are shaded, or named, at most


@styled
def raster(record):
    """Draw every group's spikes over time, and the rates of its most changing units."""
    groups = list(record.spikes)
    picture = Picture(height=1.0 + 2.6 * len(groups))
    axes = picture.subplots(2 * len(groups), 1, sharex=True, squeeze=False).ravel()
    edges, rates = record.rates()
    picture.columns = {"time_ms": (edges[1:] + edges[:-1]) / 2}
    for k, name in enumerate(groups):
        _draw_spikes(axes[2 * k], record.spikes[name], record.slow[name].shape[1])
        axes[2 * k].set_ylabel(f"{name} unit")
        _draw_rates(axes[2 * k + 1], edges, rates[name], name, picture.columns)
    for ax in axes:
        _shade(ax, record)
    axes[-1].set_xlabel("time (ms)")
    _name_phases(axes[0], record)
    counts = ", ".join(f"{name} {len(s.unit)}" for name, s in record.spikes.items())
    picture.alt = f"Spikes over time, the phases shaded. Spikes: {counts}."
    return picture


def _draw_spikes(ax, spikes, units):
    """Draw a mark a spike, thinned out evenly where there are too many."""
    every = slice(None, None, max(1, len(spikes.unit) // DOTS))
    ax.plot(
        spikes.time_ms[every], spikes.unit[every] + 1, linestyle="", marker="|",
        markersize=float(np.clip(60 / units, 1, 9)), color="black", markeredgewidth=0.7,
    )  # fmt: skip
    ax.set_ylim(units + 0.7, 0.3)
    ax.yaxis.set_major_locator(MaxNLocator(6, integer=True, min_n_ticks=1))
    ax.grid(False)


def _draw_rates(ax, edges, rates, name, columns):
    """Draw the rates of a group's units, as steps."""
    chosen = np.sort(np.argsort(np.ptp(rates, axis=0))[::-1][:SHOWN])
    for place, unit in enumerate(chosen):
        ax.stairs(rates[:, unit], edges, label=f"unit {unit + 1}", **line_style(place))
        columns[f"{name} {unit + 1} (Hz)"] = rates[:, unit]
    ax.set_ylabel("rate (Hz)")
    ax.set_ylim(bottom=0)
    legend_above(ax, columns=SHOWN)


def _shade(ax, record):
    """Shade the phases in which the case is clamped, where there is room to see them."""
    ax.set_xlim(*record.window_ms)
    phases = record.phases
    for name, start, end in phases if len(phases) <= SHADED else ():
        if name.startswith("clamp"):
            ax.axvspan(start, end, color=RULE, alpha=0.35, lw=0)
        ax.axvline(end, color=MUTED, lw=0.6)


def _name_phases(ax, record):
    """Name the phases above the raster, where there are few."""
    first, last = record.window_ms
    phases = record.phases
    for name, start, end in phases if len(phases) <= NAMED else ():
        middle = (max(start, first) + min(end, last)) / 2
        ax.annotate(
            name, (middle, 1), (0, 3), xycoords=("data", "axes fraction"),
            textcoords="offset points", ha="center", fontsize=8, color=MUTED,
        )  # fmt: skip


@styled
def rates_and_reconstruction(chip, cases):
    """Draw how often visible units fired while cases were read out, against their curve."""
    curve, counts = (
        chip.reconstruct(cases, readout=how).ravel() for how in ("curve", "counts")
    )
    most = 1000 / chip.design.substrate.refractory_ms
    picture = Picture(width=5.2, height=4.6)
    ax = picture.subplots()
    ax.plot([0, 1], [0, most], color=MUTED, lw=0.8)
    ax.plot(curve, counts * most, linestyle="", marker="o", markersize=3, alpha=0.6,
            color="black", markeredgewidth=0)  # fmt: skip
    ax.set(xlabel="reconstruction by the neurons' curve", ylabel="rate (Hz)")
    picture.columns = {"reconstruction": curve, "rate (Hz)": counts * most}
    off = np.sqrt(np.mean((counts - curve) ** 2))
    picture.alt = f"Rates against reconstructions; off the line by {off * most:.3g} Hz (rms)."
    return picture
