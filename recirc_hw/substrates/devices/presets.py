"""Published parameter sets, in the units they were published in: a range of about -1..1."""

from dataclasses import dataclass

from recirc_hw.errors import DesignError, nearest
from recirc_hw.substrates.devices.constant_step import ConstantStep
from recirc_hw.substrates.devices.device import Device
from recirc_hw.substrates.devices.exp_step import ExpStep
from recirc_hw.substrates.devices.linear_step import LinearStep
from recirc_hw.substrates.devices.soft_bounds import SoftBounds


@dataclass(frozen=True)
class Preset:
    """A device as published, and where its numbers are from."""

    device: Device
    technology: str
    numbers: str  # where the numbers themselves stand
    source: str  # the paper that measured or specified the device


def preset(name, w_max=16.0):
    """Return the device of a preset, its lengths scaled so that half its range is w_max.

    A range that is not symmetric stays so: reram_sb, published with -0.75..1.25, reaches
    from -12 to 20 by default.
    """
    if name not in PRESETS:
        raise DesignError(
            f"device preset '{name}'{nearest(name, PRESETS)}; there are {', '.join(PRESETS)}"
        )
    return PRESETS[name].device.scaled(w_max)


def _aihwkit(kind):
    return f"IBM aihwkit, aihwkit.simulator.presets.devices.{kind}"


PRESETS = {
    "reram_es": Preset(
        ExpStep(
            w_max=1.0, w_min=-1.0, w_max_dtod=0.3, w_min_dtod=0.3,
            dw_min=0.00135, dw_min_dtod=0.2, dw_min_std=5.0, write_noise_std=75.0,
            up_down=0.259359, up_down_dtod=0.05,
            A_up=-1.18445, A_down=-0.081404, gamma_up=5.0, gamma_down=5.0, a=-0.5, b=-0.5,
        ),
        "ReRAM, exponential step",
        _aihwkit("ReRamESPresetDevice"),
        "Gong et al. 2018, Nature Communications 9, 2102 (fit)",
    ),
    "reram_sb": Preset(
        SoftBounds(
            w_max=1.25, w_min=-0.75, w_max_dtod=0.3 / 1.25, w_min_dtod=0.3 / 0.75,
            dw_min=0.002, dw_min_dtod=0.3, dw_min_std=3.75, write_noise_std=56.0,
            up_down=0.0, up_down_dtod=0.01, mult_noise=False,
        ),
        "ReRAM, soft bounds, centred on its symmetry point",
        _aihwkit("ReRamSBPresetDevice"),
        "Gong et al. 2018, Nature Communications 9, 2102 (loose fit)",
    ),
    "ecram": Preset(
        LinearStep(
            w_max=1.1724, w_min=-0.8276, w_max_dtod=0.05, w_min_dtod=0.05,
            dw_min=0.002, dw_min_dtod=0.1, dw_min_std=0.3, up_down=0.0, up_down_dtod=0.01,
            gamma_up=0.1153, gamma_down=0.5085, gamma_up_dtod=0.05, gamma_down_dtod=0.05,
        ),
        "lithium ECRAM, centred on its symmetry point",
        _aihwkit("EcRamPresetDevice"),
        "Tang et al. 2018, IEDM (fit)",
    ),
    "ecram_mo": Preset(
        LinearStep(
            w_max=1.1714, w_min=-0.8286, w_max_dtod=0.05, w_min_dtod=0.05,
            dw_min=2.8214e-4, dw_min_dtod=0.1, dw_min_std=2.0, up_down=0.0, up_down_dtod=0.01,
            gamma_up=0.4152, gamma_down=0.7342, gamma_up_dtod=0.05, gamma_down_dtod=0.05,
        ),
        "metal-oxide ECRAM, centred on its symmetry point",
        _aihwkit("EcRamMOPresetDevice"),
        "Kim et al. 2019, IEDM (from its data)",
    ),
    "capacitor": Preset(
        LinearStep(
            w_max=1.0, w_min=-1.0, w_max_dtod=0.07, w_min_dtod=0.07,
            dw_min=0.005, dw_min_dtod=0.1, dw_min_std=0.3, up_down=0.0, up_down_dtod=0.06,
            gamma_up=0.05, gamma_down=0.05, gamma_up_dtod=0.01, gamma_down_dtod=0.01,
            mult_noise=False, lifetime=1e6, lifetime_dtod=0.3,
        ),
        "capacitor with CMOS; set lifetime to your update rate",
        _aihwkit("CapacitorPresetDevice"),
        "Li et al. 2018, Symposium on VLSI Technology (fit)",
    ),
    "gokmen_vlasov": Preset(
        ConstantStep(
            w_max=1.0, w_min=-1.0, w_max_dtod=0.3, w_min_dtod=0.3,
            dw_min=0.0016, dw_min_dtod=0.3, dw_min_std=0.3, up_down=0.0, up_down_dtod=0.01,
        ),
        "specification of a resistive processing unit, about 1200 states",
        _aihwkit("GokmenVlasovPresetDevice"),
        "Gokmen & Vlasov 2016, Frontiers in Neuroscience 10, 333, scaled to -1..1",
    ),
    "idealized": Preset(
        ConstantStep(
            w_max=1.0, w_min=-1.0, w_max_dtod=0.3, w_min_dtod=0.3,
            dw_min=0.0002, dw_min_dtod=0.3, dw_min_std=0.3, up_down=0.0, up_down_dtod=0.0,
        ),
        "symmetric on average, 10000 states",
        _aihwkit("IdealizedPresetDevice"),
        "Rasch et al. 2019, arXiv:1906.02698",
    ),
}  # fmt: skip
