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


@styled
def device_response(device, title, seed=0):
    """Draw pulses up, then down: the median, the band of devices, and one of them.

    Parameters
    ----------
    device : Device
    title : str
    seed : int
        Of the devices' spread.
    """
    pulses, weights = pulse_response(device, devices=DEVICES_DRAWN, points=POINTS, seed=seed)
    low, middle, high = np.percentile(weights, [5, 50, 95], axis=0)
    picture = Picture(height=3.6)
    ax = picture.subplots()
    up, down = slice(None, POINTS + 1), slice(POINTS, None)
    for part, name, place in ((up, "potentiation", 0), (down, "depression", 1)):
        colour = COLOURS[place]
        ax.fill_between(
            pulses[part], low[part], high[part], color=colour, alpha=0.18, linewidth=0,
            label=f"{name}: 90 % of {DEVICES_DRAWN} devices",
        )  # fmt: skip
        ax.plot(
            pulses[part], middle[part], color=colour, linestyle=DASHES[place], label="median"
        )
    ax.step(pulses, weights[0], where="post", color=INK, linewidth=0.7, label="one device")
    ax.axhline(0, color=MUTED, linewidth=0.8, zorder=1)
    ax.set(xlabel="pulses", ylabel="weight", xlim=(0, pulses[-1]))
    ax.xaxis.set_major_formatter(lambda value, _: short(value))
    legend_above(ax, title=title)
    picture.columns = {
        "pulse": pulses, "median": middle, "5 %": low, "95 %": high, "one device": weights[0],
    }  # fmt: skip
    picture.alt = (
        f"{title}: from {middle[0]:.3g} to {middle[POINTS]:.3g} in {pulses[POINTS]:,} pulses "
        f"up, to {middle[-1]:.3g} in as many down; 90 % of devices within "
        f"{low[POINTS]:.3g} to {high[POINTS]:.3g} at the top."
    )
    return picture
