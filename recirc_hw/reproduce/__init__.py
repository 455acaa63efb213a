"""The papers' results by name: the paper's number, ours, a band, a verdict.

One module per paper, one function per result. A band is where an independent
NumPy build of the same experiment fell; it is never moved to fit ours. What
belongs elsewhere: rules and networks, training, the pictures of single runs.
"""

from recirc_hw.errors import nearest
from recirc_hw.reproduce import (
    analog,
    analog_yield,
    baldi_physical,
    baldi_sadowski,
    baldi_table5,
    baldi_theory,
    baldi_variants,
    fixed_point,
    fixed_point_images,
    fixed_point_networks,
    hinton_alignment,
    hinton_hierarchy,
    hinton_loops,
    hinton_mcclelland,
    lecture,
    rumelhart,
    rumelhart_iterative,
    spiking,
)
from recirc_hw.reproduce.bench import Bench
from recirc_hw.reproduce.result import Line, Result

# name: (title, where the paper has it, function of a Bench that returns
# settings, lines and figure)
MODULES = (
    hinton_mcclelland, hinton_alignment, hinton_loops, hinton_hierarchy, baldi_sadowski,
    baldi_variants, baldi_physical, baldi_table5, baldi_theory, rumelhart, rumelhart_iterative,
    lecture, fixed_point, fixed_point_images, fixed_point_networks, analog, analog_yield,
    spiking,
)  # fmt: skip
RESULTS = {name: result for module in MODULES for name, result in module.RESULTS.items()}


def names():
    """Return a dict of every result's name and title."""
    return {name: title for name, (title, _, _) in RESULTS.items()}


def run(name, *, quick=False, seed=0, backend="native", progress=None):
    """Reproduce one result.

    Parameters
    ----------
    name : str, one of `names()`
    quick : bool
        Whether to take small tasks and few chips, for seconds instead of minutes.
    seed : int
        Seed of the first chip; the others follow.
    backend : str
    progress : callable(label, done_updates, total_updates), or None

    Returns
    -------
    Result

    Raises
    ------
    ValueError
        If there is no result of that name.
    """
    if name not in RESULTS:
        raise ValueError(
            f"no result '{name}'{nearest(name, RESULTS)}; results are {', '.join(RESULTS)}"
        )
    title, source, reproduce = RESULTS[name]
    settings, lines, figure = reproduce(Bench(quick, seed, backend, progress))
    settings |= {"mode": "quick" if quick else "full", "first seed": seed, "backend": backend}
    judged = [line for line in lines if line.band is not None]
    beside = [line for line in lines if line.band is None]
    return Result(name, title, source, settings, judged, beside, figure)


__all__ = ["Line", "Result", "names", "run"]
