"""Which words of the state must be kept, and when an update can be written at once."""

import numpy as np


def at_once(program, batch_size):
    """Return the matrices whose updates need no g of a whole batch, by position.

    Case by case, with one correlate and nothing but the written weight (and a
    carry's remainder) to keep, a product goes into its weight as it arises.
    """
    if batch_size > 1:
        return frozenset()
    correlated = [op.matrix for op in program.case_ops if op.opcode == "correlate"]
    return frozenset(
        op.matrix for op in program.batch_ops
        if correlated.count(op.matrix) == 1
        and _plain(getattr(program.layout.matrices[op.matrix], "policy", None))
    )  # fmt: skip


def _plain(policy):
    """Return whether a write needs its matrix's g and weights alone, once."""
    return policy is None or not (policy.momentum or policy.decay or policy.norm_cap)


def kept_state(program, bits, *, immediate=frozenset(), inference=False):
    """Return (words, bits) of state alive between two operations, each at its worst place.

    A word is alive from the operation that writes it until the last that reads it.
    A correlate that writes at once waits for the last operation that reads its
    matrix, so that every operation of a case meets the same weights.

    Parameters
    ----------
    bits : sequence of int
        Of each slot's words.
    immediate : set of int
        Matrices that are written at once; see `at_once`.
    inference : bool
        Only the operations of inference, whose output is the result.
    """
    ops = [op for op in program.case_ops if not (inference and op.learning)]
    ops = _deferred(ops, immediate)
    width = np.zeros(program.layout.size, int)
    for slot, n in zip(program.layout.slots, bits, strict=True):
        part = width[slot.offset : slot.offset + slot.size]
        np.maximum(part, n, out=part)
    alive = np.zeros(program.layout.size, bool)
    if inference:
        alive[_words(program, program.monitor[1])] = True
    words = n_bits = 0
    for op in reversed(ops):
        words, n_bits = max(words, int(alive.sum())), max(n_bits, int(width[alive].sum()))
        if op.dst >= 0:
            alive[_words(program, op.dst)] = False
        for slot in (op.first, op.second):
            if slot >= 0:
                alive[_words(program, slot)] = True
    return words, n_bits


def _words(program, slot):
    record = program.layout.slots[slot]
    return slice(record.offset, record.offset + record.size)


def _deferred(ops, immediate):
    """Return the operations, correlates that write at once behind their matrix's last use."""
    last = {op.matrix: i for i, op in enumerate(ops) if op.opcode == "project"}

    def place(numbered):
        i, op = numbered
        waits = op.opcode == "correlate" and op.matrix in immediate
        return (max(i, last.get(op.matrix, i)), 1) if waits else (i, 0)

    return [op for _, op in sorted(enumerate(ops), key=place)]
