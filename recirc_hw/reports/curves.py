"""What changed over the updates: errors, sizes of changes, alignments."""

import numpy as np

from recirc_hw.reports.style import (
    COLOURS,
    INK,
    MUTED,
    Picture,
    error_axis,
    legend_above,
    line_style,
    message,
    short,
    styled,
    update_axis,
)

NO_PROBES = "This training recorded no probes: with many chips side by side they are left out."


def by_unit_error(run):
    """Return whether a run's criterion is one of the largest unit error."""
    return run.metric == "unit_error"


def matrix_label(name):
    """Return a matrix's name as a label: "visible>hidden" with an arrow."""
    return name.replace(">", " → ")


# -- errors --------------------------------------------------------------------------


@styled
def error_curve(run):
    """Draw training and test error over updates, with the pass threshold.

    The largest unit error is drawn where the criterion is one of it. The first
    crossing of the threshold is marked.
    """
    curves = _error_curves(run)
    if not curves:
        return message("No finite error was recorded.")
    picture = Picture(height=3.8)
    ax = picture.subplots()
    for label, (updates, errors, style) in curves.items():
        ax.plot(updates, errors, label=label, **_dotted(style, len(updates)))
    _draw_threshold(ax, run)
    shown = np.concatenate([errors for _, errors, _ in curves.values()])
    error_axis(ax, np.append(shown, run.threshold))
    first = min(updates[0] for updates, _, _ in curves.values())
    last = max(max(updates[-1] for updates, _, _ in curves.values()), run.total_updates)
    update_axis(ax, last, first)
    _mark_crossing(ax, run, last)
    ax.set_ylabel("error")
    legend_above(ax)
    picture.columns = _long_columns(curves)
    picture.alt = _error_alt(run, curves)
    return picture


def _error_curves(run):
    """Return {label: (updates, errors, style)}, points that are not positive left out."""
    history = run.history
    found = {
        "squared error, training": ("update", "train_error", COLOURS[0], 1.8),
        "squared error, test": ("test_update", "test_error", COLOURS[1], 2.2),
    }
    if by_unit_error(run):
        found["largest unit error, training"] = (
            "update", "train_unit_error", COLOURS[2], 1.8,
        )  # fmt: skip
    curves = {}
    for label, (at, name, colour, width) in found.items():
        updates, errors = np.asarray(history[at], float), np.asarray(history[name], float)
        kept = np.isfinite(errors) & (errors > 0)
        if kept.any():
            style = {"color": colour, "linewidth": width}
            curves[label] = (updates[kept], errors[kept], style)
    return curves


def _dotted(style, count):
    """Return the style with markers where points are few enough to be seen."""
    if count > 200:
        return {**style, "linewidth": 0.9}
    return {**style, "marker": "o", "markersize": 4} if count <= 40 else style


def _draw_threshold(ax, run):
    """Draw the threshold in the colour of the error that it is held against."""
    if not np.isfinite(run.threshold):
        return
    colour = COLOURS[2] if by_unit_error(run) else COLOURS[1]
    ax.axhline(
        run.threshold, color=colour, linestyle=(0, (2, 2)), linewidth=1.2,
        label=f"pass below {run.threshold:.3g}",
    )  # fmt: skip


def _mark_crossing(ax, run, last):
    """Mark the update at which the criterion first held."""
    if not run.learned:
        return
    ax.axvline(run.updates, color=MUTED, linewidth=1)
    late = run.updates > last**0.5
    ax.annotate(
        f"learned after {run.updates:,} updates",
        (run.updates, 0.02 if late else 0.97),
        xycoords=("data", "axes fraction"),
        xytext=(-6 if late else 6, 0),
        textcoords="offset points",
        ha="right" if late else "left",
        va="bottom" if late else "top",
        fontsize=9,
        color=INK,
        bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 1.5},
    )


def _long_columns(curves):
    """Return curves of different lengths as one table: curve, update, value."""
    return {
        "curve": np.concatenate([[label] * len(c[0]) for label, c in curves.items()]),
        "update": np.concatenate([c[0] for c in curves.values()]),
        "value": np.concatenate([c[1] for c in curves.values()]),
    }


def _error_alt(run, curves):
    """Return what the error curve shows, in words."""
    ends = "; ".join(
        f"{label} from {short(float(f'{c[1][0]:.2g}'))} to {short(float(f'{c[1][-1]:.2g}'))}"
        for label, c in curves.items()
    )
    crossing = f"first met after {run.updates:,} updates" if run.learned else "never met"
    return (
        f"Errors over {run.total_updates:,} weight updates, logarithmic: {ends}. "
        f"The pass threshold of {run.threshold:.3g} was {crossing}."
    )


# -- probes --------------------------------------------------------------------------


@styled
def layer_changes(run):
    """Draw the size of the change asked of each weight matrix, over updates."""
    updates, changes = _probed(run, "change")
    shown = np.isfinite(changes) & (changes > 0)
    if not shown.any():
        return message(NO_PROBES if not run.probes else "No weight was asked to change.")
    picture = Picture(height=3.4)
    ax = picture.subplots()
    names = [matrix_label(matrix.name) for matrix in run.design.network.matrices]
    for k, name in enumerate(names):
        kept = shown[:, k]
        ax.plot(
            updates[kept],
            changes[kept, k],
            marker="o",
            label=name,
            markersize=4,
            **line_style(k),
        )
    error_axis(ax, changes[shown])
    update_axis(ax, updates[-1])
    ax.set_ylabel("change asked for\n(root mean square)")
    legend_above(ax)
    picture.columns = {"update": updates, **dict(zip(names, changes.T, strict=True))}
    sizes = "; ".join(
        f"{name} {_ends(changes[:, k])}" for k, name in enumerate(names) if shown[:, k].any()
    )
    picture.alt = f"Size of the weight change asked for, first and last: {sizes}."
    return picture


@styled
def alignment(run):
    """Draw each change's alignment with steepest descent, and the loop's symmetry."""
    updates, angles = _probed(run, "alignment")
    _, symmetry = _probed(run, "symmetry")
    if not np.isfinite(angles).any() and not np.isfinite(symmetry).any():
        return message(NO_PROBES if not run.probes else "No change had a direction.")
    names = [matrix_label(matrix.name) for matrix in run.design.network.matrices]
    changes = {name: angles[:, k] for k, name in enumerate(names)}
    pairs = {
        f"{names[k]} and its mirror": symmetry[:, k]
        for k in range(len(names) // 2)
        if np.isfinite(symmetry[:, k]).any()
    }
    picture = Picture(height=3.6)
    left, right = picture.subplots(1, 2, sharey=True)
    rows = len(names)
    _draw_cosines(left, updates, changes, "change against steepest descent", rows)
    _draw_cosines(right, updates, pairs, "weights against mirror's transpose", rows)
    opposed = (angles < -0.3).any() or (symmetry < -0.3).any()
    left.set(ylabel="cosine", ylim=(-1.05 if opposed else -0.35, 1.05))
    columns = {f"change, {name}": values for name, values in changes.items()}
    columns |= {f"symmetry, {name}": values for name, values in pairs.items()}
    picture.columns = {"update": updates, **columns}
    picture.alt = "Cosines, first and last: " + "; ".join(
        f"{name} {_ends(values)}" for name, values in columns.items()
    )
    return picture


def _draw_cosines(ax, updates, curves, title, rows):
    """Draw cosines over updates."""
    for k, (name, values) in enumerate(curves.items()):
        ax.plot(updates, values, marker="o", label=name, markersize=4, **line_style(k))
    ax.axhline(0, color=MUTED, linewidth=0.8)
    update_axis(ax, updates[-1])
    legend_above(ax, columns=1, title=title, rows=rows)
    if not curves:
        ax.text(0.5, 0.5, "no two matrices match", transform=ax.transAxes, ha="center")


def _probed(run, name):
    """Return (updates, values of shape (probes, matrices)); what is missing is NaN."""
    count = len(run.design.network.matrices)
    values = [np.asarray(probe[name], float) for probe in run.probes]
    updates = np.array([probe["update"] for probe in run.probes], float)
    return updates, np.reshape(values, (len(updates), count)).astype(float)


def _ends(values):
    """Return the first and the last finite value, as text."""
    finite = values[np.isfinite(values)]
    return f"{finite[0]:.3g} to {finite[-1]:.3g}" if finite.size else "not defined"
