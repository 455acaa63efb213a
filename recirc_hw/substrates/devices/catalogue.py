"""All models and presets, with what is known of each, for people to look at."""

from recirc_hw.substrates.devices import DEVICES, PRESETS, preset


def catalogue():
    """Return records by name, models first: device, fields, what; presets also a source."""
    models = {name: _record(kind(), _first_line(kind)) for name, kind in DEVICES.items()}
    presets = {
        name: {
            **_record(preset(name), one.technology),
            "published": one.device.model_dump(), "source": one.source, "numbers": one.numbers,
        }
        for name, one in PRESETS.items()
    }  # fmt: skip
    return models | presets


def _record(device, what):
    return {"device": device, "what": what, "fields": device.model_dump()}


def _first_line(kind):
    return (kind.__doc__ or "").split("\n")[0].rstrip(".")
