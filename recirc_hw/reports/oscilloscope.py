"""One case through clamp and release, as an oscilloscope would show it."""

import textwrap

import numpy as np

from recirc_hw.reports.style import MUTED, RULE, Picture, legend_above, line_style, styled

LONGEST = 84  # characters of a line below the axis
LARGEST = 6  # units of a group that are drawn apart


@styled
def oscilloscope(trajectory):
    """Draw every group's activity over time, its trace, and how far its weights have gone.

    Time is stretched in the phases after the first, which are short: each phase
    gets the same width. Of a large group the units that change most are drawn.
    """
    groups, rows = list(trajectory.activity), len(trajectory.activity) + 1
    picture = Picture(height=1.2 + 1.7 * rows)
    axes = picture.subplots(rows, 1, sharex=True)
    at = _stretched(trajectory)
    picture.columns = {"time_ms": trajectory.time_ms}
    for ax, group in zip(axes, groups, strict=False):
        activity, trace = trajectory.activity[group], trajectory.trace[group]
        _draw_group(ax, at, group, activity, trace, picture.columns)
    _draw_weights(axes[-1], at, trajectory, picture.columns)
    for ax in axes:
        _shade(ax, trajectory)
    _label_time(axes[-1], trajectory)
    picture.align_ylabels(axes)
    spans = ", ".join(f"{name} {end - start:.3g} ms" for name, start, end in trajectory.phases)
    picture.alt = f"Activity of {', '.join(groups)} units and weight changes over {spans}."
    return picture


def _stretched(trajectory):
    """Return times on an axis on which every phase is 1 wide."""
    ends = [0.0, *(end for _, _, end in trajectory.phases)]
    return np.interp(trajectory.time_ms, ends, range(len(ends)))


def _chosen(values):
    """Return the units to draw: all of a small group, or those that move most."""
    if values.shape[1] <= LARGEST:
        return range(values.shape[1])
    return sorted(np.argsort(np.ptp(values, axis=0))[::-1][:LARGEST])


def _draw_group(ax, at, group, values, trace, columns):
    traced = not np.array_equal(values, trace)
    for place, unit in enumerate(_chosen(values)):
        style = line_style(place)
        ax.plot(at, values[:, unit], label=f"unit {unit + 1}", **style)
        columns[f"{group} {unit + 1}"] = values[:, unit]
        if traced:
            ax.plot(at, trace[:, unit], color=style["color"], lw=0.7)
            columns[f"{group} {unit + 1}, trace"] = trace[:, unit]
    ax.set_ylabel("activity")
    title = f"{group} group" + (" (thin: what lags behind, for the synapses)" if traced else "")
    legend_above(ax, columns=6, title=title)


def _draw_weights(ax, at, trajectory, columns):
    """Draw the root mean square change of each matrix."""
    for place, (name, weights) in enumerate(trajectory.weights.items()):
        change = np.sqrt(np.mean((weights - weights[0]) ** 2, axis=(1, 2)))
        label = name.replace(">", " → ")
        ax.plot(at, change, label=label, **line_style(place))
        columns[f"change {label}"] = change
    ax.set_ylabel("weight change")
    legend_above(ax, columns=3, title="root mean square, if written then")


def _shade(ax, trajectory):
    """Shade every other phase, and rule its beginning."""
    for place in range(len(trajectory.phases)):
        if place % 2 == 0:
            ax.axvspan(place, place + 1, color=RULE, alpha=0.35, lw=0)
        ax.axvline(place + 1, color=MUTED, lw=0.6)
    ax.set_xlim(0, len(trajectory.phases))


def _label_time(ax, trajectory):
    """Name the phases below the axis, and give the times at which they change."""
    ends = [0.0, *(end for _, _, end in trajectory.phases)]
    ax.set_xticks(range(len(ends)), [f"{end:.3g}" for end in ends])
    names = ", then ".join(name for name, _, _ in trajectory.phases)
    label = f"time (ms), each phase stretched to the same width: {names}"
    ax.set_xlabel(textwrap.fill(label, LONGEST))
