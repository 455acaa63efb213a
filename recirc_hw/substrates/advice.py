"""Advice: which single change of a refused fixed-point design would be accepted.

Nothing is advised that has not been tried.
"""

from bisect import bisect_left
from dataclasses import replace

MOST_BITS = 64
LEAST_RATE, MOST_RATE = -8, 0  # powers of two towards which a rate is moved


def advice(program, substrate, accepts):
    """Return the end of a refusal: the least change of each field alone that is accepted.

    Parameters
    ----------
    program : Program
    substrate : FixedPoint
    accepts : callable(program, substrate) -> bool
    """
    found = [_rate(program, substrate, accepts)]
    for field, values in _candidates(substrate).items():
        tried = [substrate.replace(**{field: value}) for value in values]
        k = _first(tried, lambda made: accepts(program, made))
        found.append(None if k is None else f"{field} = {values[k]}")
    texts = [text for text in found if text]
    return f"; what will do: {', or '.join(texts)}" if texts else "; no field alone mends it"


def alike(program, substrate, accepts):
    """Return the end of a refusal of joined values: whether errors with activities' bits do."""
    field = f"error_fraction_bits = {substrate.activity_bits}"
    made = substrate.replace(error_fraction_bits=substrate.activity_bits)
    if accepts(program, made):
        return f"; what will do: {field}"
    return f"; {field} alone does not mend it"


def _first(tried, accepted):
    """Return the position of the first that is accepted, all after it being so; or None."""
    if not tried or not accepted(tried[-1]):
        return None
    return bisect_left(tried, True, key=accepted)


def _candidates(substrate):
    """Return {field: values}, from the least change to the greatest."""
    formats = [substrate.weight_format(k) for k in range(substrate.n_formats)]
    room = max(bits - max(fraction, bias) - 1 for bits, fraction, bias in formats)
    rise = range(1, min(bits - 1 - fraction for bits, fraction, _ in formats) + 1)
    given = substrate.error_integer_bits
    found = {
        field: range(getattr(substrate, field) + 1, MOST_BITS + 1)
        for field in ("accumulator_bits", "sum_bits")
        if getattr(substrate, field) is not None
    }
    index = substrate.table(_longest(substrate)).integer_bits
    return found | {
        "activity_bits": _down(substrate.activity_bits, 2),
        "weight_bits": [_narrower(formats, less) for less in range(1, room + 1)],
        "weight_fraction_bits": [_as_given([f + up for _, f, _ in formats]) for up in rise],
        "error_fraction_bits": _down(substrate.error_fraction, 0),
        "error_integer_bits": _down(9 if given is None else given, 0),
        "table_fraction_bits": _down(substrate.table_fraction_bits, 0),
        "table_integer_bits": _down(index, 1),
    }


def _longest(substrate):
    """Return the response whose table has the longer index."""
    return max(("logistic", "tanh"), key=lambda f: substrate.table(f).integer_bits)


def _down(value, least):
    return range(value - 1, least - 1, -1)


def _narrower(formats, less):
    """Return the weights' bits with `less` fewer, as far as each format lets them."""
    return _as_given(
        [max(2, fraction + 1, bias + 1, bits - less) for bits, fraction, bias in formats]
    )


def _as_given(values):
    return values[0] if len(values) == 1 else tuple(values)


def _rate(program, substrate, accepts):
    """Return the nearest learning rate that is accepted, as a text; None if none is."""
    policies = [m.policy for m in program.layout.matrices if m.policy is not None]
    rates = {policy.rate for policy in policies}
    if len(rates) != 1 or 0 in rates:
        return None
    rate = rates.pop()
    power = 0.5 if rate > 1 else 2.0
    moved, limit = [rate * power], 2.0 ** (LEAST_RATE if rate > 1 else MOST_RATE)
    while (moved[-1] > limit) == (rate > 1):
        moved.append(moved[-1] * power)
    k = _first([_at_rate(program, r) for r in moved], lambda made: accepts(made, substrate))
    return None if k is None else f"learning_rate = {moved[k]!r}"


def _at_rate(program, rate):
    """Return the program with all written matrices at a rate."""
    matrices = tuple(
        m if m.policy is None else replace(m, policy=replace(m.policy, rate=rate))
        for m in program.layout.matrices
    )
    return replace(program, layout=replace(program.layout, matrices=matrices))
