"""What each hidden unit listens to."""

import math

import numpy as np

from recirc_hw.reports.style import (
    COLOURS,
    DIVERGING,
    MUTED,
    WIDTH,
    Picture,
    image_grid,
    message,
    small_image,
    styled,
)

IMAGES_SHOWN = 40
BARS_SHOWN = 12
CURVED = 24  # inputs from which bars give way to a filled curve


@styled
def receptive_fields(chip, task):
    """Draw the weights into each unit of the first hidden group, biases left out.

    As images where the task has them, in colours centred at 0 and on one scale;
    as bars otherwise. Of many units the first are drawn, and the title says so.
    """
    # The first matrix with inputs: a recurrent network's start has none.
    weights = next(m for m in chip.weights if m.shape[1] > 1)[:, :-1].astype(float)
    if not np.isfinite(weights).all():
        return message("The weights are not finite: the chip diverged.")
    # One module of several sees a part of the image: no picture of its own.
    images = task.image_shape and weights.shape[1] == task.n_units
    shown = min(len(weights), IMAGES_SHOWN if images else BARS_SHOWN)
    draw = _draw_images if images else _draw_bars
    picture = draw(weights[:shown], task.image_shape)
    units = "1 hidden unit" if len(weights) == 1 else f"{len(weights)} hidden units"
    part = "" if shown == len(weights) else f"the first {shown} of "
    title = f"{part}{units}"
    picture.suptitle(title[0].upper() + title[1:], x=0.02, ha="left", fontsize=10.5)
    numbers = {f"from visible {j}": weights[:shown, j] for j in range(weights.shape[1])}
    picture.columns = {"hidden unit": np.arange(shown), **numbers}
    picture.alt = (
        f"Weights into {part}{units}, from {weights[:shown].min():.3g} "
        f"to {weights[:shown].max():.3g}."
    )
    return picture


def _draw_images(weights, shape):
    """Return small images of weights, with one colour bar."""
    reach, beyond = _reach(weights)
    rows = math.ceil(len(weights) / 10)
    columns = max(4, math.ceil(len(weights) / rows))
    cell = (WIDTH - 1.2) / columns
    tall = cell * min(max(shape[0] / shape[1], 0.2), 5)
    picture = Picture(height=rows * tall + 0.5)
    picture.set_layout_engine("none")
    ax = image_grid(picture, rows, columns, (0.12, 0.08, columns * cell, rows * tall))
    for i, values in enumerate(weights):
        image = values.reshape(shape)
        drawn = small_image(ax, divmod(i, columns), image, DIVERGING, (-reach, reach))
    high = picture.get_figheight()
    beside = picture.add_axes((1 - 0.98 / WIDTH, 0.12 / high, 0.13 / WIDTH, 1 - 0.6 / high))
    bar = picture.colorbar(drawn, cax=beside, extend=beyond)
    bar.set_label("weight")
    bar.set_ticks([-reach, 0, reach], labels=[f"−{reach:.2g}", "0", f"{reach:.2g}"])
    return picture


def _reach(weights):
    """Return where the colours end, and what of the weights lies beyond.

    The 99.5th percentile: a few strong weights would make all others pale.
    """
    reach = float(np.percentile(np.abs(weights), 99.5)) or 1.0
    low, high = weights.min() < -reach, weights.max() > reach
    return reach, {(0, 0): "neither", (1, 0): "min", (0, 1): "max"}.get((low, high), "both")


def _draw_bars(weights, _):
    """Return one small chart of weights for each hidden unit, on one scale."""
    columns = min(4, len(weights))
    rows = math.ceil(len(weights) / columns)
    picture = Picture(height=rows * 1.5 + 0.9)
    axes = picture.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
    for i, ax in enumerate(axes.ravel()):
        if i >= len(weights):
            ax.set_axis_off()
            continue
        _draw_one(ax, weights[i])
        ax.set_title(f"hidden unit {i}", fontsize=9)
    picture.supxlabel("from visible unit", fontsize=10)
    picture.supylabel("weight", fontsize=10)
    return picture


def _draw_one(ax, values):
    """Draw one unit's weights: orange above 0, blue below."""
    at = np.arange(len(values))
    ax.axhline(0, color=MUTED, linewidth=0.8)
    if len(values) <= CURVED:
        colours = np.where(values > 0, COLOURS[1], COLOURS[0])
        ax.bar(at, values, color=colours, width=0.7)
        ax.set_xticks(at[:: max(1, -(-len(at) // 8))])
        return
    ax.fill_between(at, values, where=values > 0, color=COLOURS[1], step="mid", linewidth=0)
    ax.fill_between(at, values, where=values <= 0, color=COLOURS[0], step="mid", linewidth=0)
