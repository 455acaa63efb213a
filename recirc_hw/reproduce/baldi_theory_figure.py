"""The figure of `baldi-theory`: the flow of its Fig. 3, and three statements that fail."""

import numpy as np

from recirc_hw import theory
from recirc_hw.reproduce.figures import COLOURS, draw_curves, new_figure


def theory_figure(losses, asymmetry):
    """Return the figure: flow, basins of even n, loss and symmetry over time."""
    figure, (flow, basins, loss, symmetry) = new_figure(2, 2, width=11, height=9)
    _draw_flow(flow)
    _draw_basins(basins)
    draw_curves(
        loss, losses, title="linear 10-4-10: recirculation stops above the optimum",
        x="time", y="E |I - ABI|$^2$, mean over starts", log_x=True, markers=False,
    )  # fmt: skip
    loss.set(xlim=(1e-2, 60), ylim=(20, 56))
    draw_curves(
        symmetry, {name: (t, np.maximum(g, 1e-14)) for name, (t, g) in asymmetry.items()},
        title="B(0) = A(0)$^t$: symmetry is lost", x="time", y="|A - B$^t$| / |A|",
        log_x=True, log_y=True, markers=False,
    )  # fmt: skip
    symmetry.set_xlim(1e-2, 60)
    return figure


def _draw_flow(ax):
    """Draw the flow in the plane of P and B, B >= 0: the paper's Fig. 3."""
    p, b = np.meshgrid(np.linspace(-3, 3, 61), np.linspace(0, 4, 41))
    p_rate, b_rate = theory.fan_plane(p, b)
    ax.streamplot(p, b, p_rate, b_rate, color=COLOURS[0], linewidth=0.8, density=1.3)
    ax.axvline(1, color=COLOURS[1], linewidth=2.5, label="P = 1, optimal")
    ax.plot([-3, 0], [3, 0], color="0.3", linestyle="--", label="P = -B, where P turns")
    ax.set(title="A*[1, N, 1]: flow of P and B (the paper's Fig. 3)", xlabel="P",
           ylabel="B = |b|$^2$", xlim=(-3, 3), ylim=(0, 4))  # fmt: skip
    ax.legend(fontsize=9, loc="upper left", framealpha=0.9)


def _draw_basins(ax):
    """Draw which starts of two weights end at P = -1 under an even number of cycles."""
    side = np.linspace(-4, 4, 401)
    first, second = np.meshgrid(side, side)
    lost = theory.ends_at_minus_one(first, second)
    ax.contourf(first, second, lost, levels=[0.5, 1.5], colors=[COLOURS[4]], alpha=0.7)
    branch = np.linspace(0.25, 4, 100)
    for sign in (1, -1):
        label = {"label": "P = 1"} if sign == 1 else {}
        ax.plot(sign * branch, sign / branch, color=COLOURS[0], linewidth=2, **label)
        label = {"label": "P = -1"} if sign == 1 else {}
        ax.plot(sign * branch, -sign / branch, color=COLOURS[1], linewidth=2, **label)
    ax.plot([], [], color=COLOURS[4], linewidth=8, label="starts that end at P = -1")
    ax.set(title="two weights, n = 2: a bad basin", xlabel="a$_1$(0)", ylabel="a$_2$(0)",
           xlim=(-4, 4), ylim=(-4, 4))  # fmt: skip
    ax.legend(fontsize=9, loc="upper right", framealpha=0.9)
