"""How synapse devices answer to pulses."""

import numpy as np

from recirc_hw.reports.style import (
    COLOURS,
    DASHES,
    INK,
    MUTED,
    Picture,
    legend_above,
    short,
    styled,
)
from recirc_hw.substrates.devices.response import pulse_response

DEVICES_DRAWN = 50
POINTS = 200  # each way
STEPS = 10  # single pulses each way


@styled
def device_response(device, title, seed=0):
    """Draw pulses up, then down: the median, the band of devices, and one of them.

    The band is drawn where devices or their pulses differ. Beside it, single pulses of
    one device, for the looks at the whole range lie many pulses apart.

    Parameters
    ----------
    device : Device
    title : str
    seed : int
        Of the devices' spread.
    """
    pulses, weights = pulse_response(device, devices=DEVICES_DRAWN, points=POINTS, seed=seed)
    low, middle, high = np.percentile(weights, [5, 50, 95], axis=0)
    spread = bool(np.any(high > low))
    picture = Picture(height=3.6)
    ax, near = picture.subplots(1, 2, width_ratios=(3, 1))
    up, down = slice(None, POINTS + 1), slice(POINTS, None)
    for part, name, place in ((up, "potentiation", 0), (down, "depression", 1)):
        colour = COLOURS[place]
        if spread:
            ax.fill_between(
                pulses[part], low[part], high[part], color=colour, alpha=0.18, linewidth=0,
                label=f"{name}: 90 % of {DEVICES_DRAWN} devices",
            )  # fmt: skip
        label = "median" if spread else f"{name}, any device"
        ax.plot(pulses[part], middle[part], color=colour, linestyle=DASHES[place], label=label)
    if spread:
        ax.step(pulses, weights[0], where="post", color=INK, linewidth=0.7, label="one device")
    _draw_steps(near, device, seed)
    ax.axhline(0, color=MUTED, linewidth=0.8, zorder=1)
    ax.set(xlabel="pulses", ylabel="weight", xlim=(0, pulses[-1]))
    ax.xaxis.set_major_formatter(lambda value, _: short(value))
    legend_above(ax, columns=2, title=title)
    picture.columns = {
        "pulse": pulses, "median": middle, "5 %": low, "95 %": high, "one device": weights[0],
    }  # fmt: skip
    picture.alt = (
        f"{title}: from {middle[0]:.3g} to {middle[POINTS]:.3g} in {pulses[POINTS]:,} pulses "
        f"up, to {middle[-1]:.3g} in as many down; "
        + (
            f"90 % of devices within {low[POINTS]:.3g} to {high[POINTS]:.3g} at the top."
            if spread else "devices and their pulses do not differ."
        )
    )  # fmt: skip
    return picture


def _draw_steps(ax, device, seed):
    """Draw a staircase of single pulses from 0, up and down, of one device."""
    pulses, weights = pulse_response(
        device, devices=1, points=STEPS, pulses=1, seed=seed, start=0.0
    )
    ax.step(pulses, weights[0], where="post", color=INK, linewidth=0.9)
    ax.set(xlabel="single pulses", xlim=(0, pulses[-1]))
    legend_above(ax, title=f"{STEPS} up, {STEPS} down")
