"""Every picture of a training, by name; each function returns a figure."""

from recirc_hw.reports.curves import alignment, error_curve, layer_changes
from recirc_hw.reports.distributions import population, weight_histograms
from recirc_hw.reports.panels import reconstructions
from recirc_hw.reports.receptive import receptive_fields

__all__ = [
    "alignment",
    "error_curve",
    "layer_changes",
    "pictures",
    "population",
    "receptive_fields",
    "reconstructions",
    "weight_histograms",
]


def pictures(run, chip, task):
    """Return all figures of one chip's training, by name."""
    return {
        "error_curve": error_curve(run),
        "reconstructions": reconstructions(chip, task),
        "receptive_fields": receptive_fields(chip, task),
        "weight_histograms": weight_histograms(chip),
        "layer_changes": layer_changes(run),
        "alignment": alignment(run),
    }
