"""What comes back from a chip, beside what went in."""

import numpy as np

from recirc_hw.metrics import squared_error
from recirc_hw.reports.style import (
    DIVERGING,
    IMAGE,
    MUTED,
    WIDTH,
    Picture,
    image_grid,
    message,
    small_image,
    styled,
)

LABELS = 1.35  # inches, to the left of rows of images
NUMBERED = 6  # columns up to which cells are wide enough for a number


@styled
def reconstructions(chip, task, count=10, pca=None):
    """Draw test cases above what the chip makes of them.

    Images are drawn as such, with a row of differences; other cases as a heat
    map, one row per case.

    Parameters
    ----------
    chip : Chip
    task : Task
    count : int
        Cases at most, the first of `task.test`.
    pca : float array, shape (at least count, n_units), or None
        What PCA makes of the same cases; a row of its own.
    """
    shown = np.asarray(task.test)[:count]
    cases, rebuilt = task.targets(shown), chip.reconstruct(shown)
    if not np.isfinite(rebuilt).all():
        return message("What comes back is not finite: the chip diverged.")
    rows = {"original": cases, "chip": rebuilt}
    if pca is not None:
        rows["PCA"] = np.asarray(pca)[: len(cases)]
    draw = _draw_images if task.image_shape else _draw_heat_maps
    picture = draw(rows, task)
    picture.columns = _columns(rows)
    picture.alt = _alt(rows, "images" if task.image_shape else "heat maps")
    return picture


def _columns(rows):
    """Return one row of numbers per case and kind, a column per unit."""
    values = np.concatenate(list(rows.values()))
    count = len(rows["original"])
    numbers = {f"unit {j}": values[:, j] for j in range(values.shape[1])}
    kinds = np.repeat(list(rows), count)
    return {"what": kinds, "case": np.tile(np.arange(count), len(rows)), **numbers}


def _alt(rows, kind):
    errors = ", ".join(
        f"{name} {squared_error(rows['original'], values):.3g}"
        for name, values in rows.items()
        if name != "original"
    )
    count = len(rows["original"])
    return f"{count} test cases and what comes back, as {kind}. Mean squared error: {errors}."


# -- images --------------------------------------------------------------------------


def _draw_images(rows, task):
    """Return rows of images: originals, what came back, differences, PCA."""
    cases = rows["original"]
    images = {name: (values, IMAGE, None) for name, values in rows.items()}
    difference = rows["chip"] - cases
    reach = max(float(np.abs(difference).max()), 1e-12)
    images["chip − original"] = (difference, DIVERGING, reach)
    order = [name for name in ("original", "chip", "chip − original", "PCA") if name in images]
    low, high = min(0.0, float(cases.min())), max(1.0, float(cases.max()))
    shape, count = task.image_shape, len(cases)
    columns = max(count, 4)
    cell = (WIDTH - LABELS - 0.05) / columns
    tall = cell * min(max(shape[0] / shape[1], 0.2), 5)
    picture = Picture(height=len(order) * tall + 0.1)
    picture.set_layout_engine("none")
    box = (LABELS, 0.05, columns * cell, len(order) * tall)
    ax = image_grid(picture, len(order), columns, box)
    for i, name in enumerate(order):
        values, colours, reach = images[name]
        limits = (low, high) if reach is None else (-reach, reach)
        for j in range(count):
            small_image(ax, (i, j), values[j].reshape(shape), colours, limits)
        below = f"±{reach:.2g}" if reach else f"error {squared_error(cases, values):.3g}"
        _row_label(ax, i + 0.47, name, "" if name == "original" else below)
    return picture


def _row_label(ax, at, name, below):
    """Name a row of images at its left, with a smaller line beneath."""
    look = {"textcoords": "offset points", "ha": "right"}
    lift = 1 if below else 0
    ax.annotate(name, (0, at), (-8, lift), va="bottom" if below else "center", **look)
    ax.annotate(below, (0, at), (-8, -2), va="top", fontsize=8, color=MUTED, **look)


# -- everything else -----------------------------------------------------------------


def _draw_heat_maps(rows, task):
    """Return one heat map per kind, a row per case and a column per unit."""
    shape = rows["original"].shape
    wide = shape[1] > 24
    tall = min(4.0, max(1.0, 0.28 * shape[0])) if wide else 2.6
    picture = Picture(height=len(rows) * (tall + 0.4) + 0.6 if wide else tall)
    grid = (len(rows), 1) if wide else (1, len(rows))
    axes = picture.subplots(*grid, sharex=True, sharey=True, squeeze=False).ravel()
    low = min(0.0, *(float(v.min()) for v in rows.values()))
    high = max(1.0, *(float(v.max()) for v in rows.values()))
    for ax, (name, values) in zip(axes, rows.items(), strict=True):
        drawn = ax.imshow(
            values, cmap=IMAGE, vmin=low, vmax=high, aspect="auto", interpolation="nearest"
        )
        _heat_map_axes(ax, name, shape)
        if shape[1] <= NUMBERED:
            _write_values(ax, values, (low + high) / 2)
    for ax in axes[-1:] if wide else axes:
        ax.set_xlabel("visible unit")
    for ax in axes if wide else axes[:1]:
        ax.set_ylabel("case")
    picture.colorbar(drawn, ax=list(axes), label="activity", fraction=0.04, pad=0.02)
    return picture


def _heat_map_axes(ax, name, shape):
    """Title a heat map, and number its cases and units where there is room."""
    ax.set_title({"original": "what went in", "chip": "what came back"}.get(name, name))
    ax.grid(False)
    for axis, size in ((ax.yaxis, shape[0]), (ax.xaxis, shape[1])):
        step = max(1, -(-size // 12))
        axis.set_ticks(np.arange(0, size, step))
    ax.tick_params(length=0)


def _write_values(ax, values, middle):
    """Write each cell's number into it."""
    for (row, column), value in np.ndenumerate(values):
        text = f"{value:.2f}" if abs(value) < 10 else f"{value:.3g}"
        colour = "white" if value > middle else "black"
        ax.text(column, row, text, ha="center", va="center", fontsize=8, color=colour)
