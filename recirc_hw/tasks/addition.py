"""Binary addition, one column a step."""

from dataclasses import dataclass

import numpy as np

from recirc_hw.random_streams import uniform
from recirc_hw.tasks.checks import frozen, whole_number
from recirc_hw.tasks.criteria import UnitError
from recirc_hw.tasks.task import Task


@dataclass(frozen=True, eq=False)
class Addition(Task):
    """A task whose every epoch has fresh pairs of numbers; `train` is epoch 0."""

    bits: int = 8
    seed: int = 0
    fewest_bits: int = 8

    @property
    def generated(self) -> bool:
        """Return whether every epoch has fresh cases of its own."""
        return True

    def epoch_cases(self, epoch: int) -> np.ndarray:
        """Return the fresh cases of this epoch (0, 1, ...), shape (n_cases, n_units)."""
        epoch = whole_number("epoch", epoch, 0, 2**32 - 2)
        if epoch == 0:
            return self.train
        return _draw(self.seed, len(self.train), self.bits, self.fewest_bits, epoch)


def addition(
    bits: int = 8,
    seed: int = 0,
    pairs: int = 2000,
    test_pairs: int = 500,
    fewest_bits: int | None = None,
) -> Task:
    """Return pairs of numbers and their sums, column by column from the lowest bit.

        case = (a_0, b_0, a_1, b_1, ..., 0, 0,  s_0, s_1, ..., s_bits),   s = a + b

    The last column of the numbers is empty, for the last carry. Pairs are drawn afresh
    for each epoch. It counts as learned once every bit of every sum is on the right side
    of .5. A network for it is `Recurrent(2, 3, 1, steps=bits + 1)`: with a delay of one
    step on each connection its answer comes two steps after the digits.

    Source: Hinton, CSC321 lecture 7.

    Parameters
    ----------
    bits : int, in 1..1000
    seed : int, in 0..2**64-1
    pairs, test_pairs : int
        Pairs in an epoch, and in the test.
    fewest_bits : int in 1..bits, or None for `bits`
        Each pair has a length of its own, fewest_bits..bits with equal chances; the
        columns above it are empty. On the command line `addition:FEWEST-BITS`.
    """
    bits = whole_number("addition: bits", bits, 1, 1000)
    seed = whole_number("addition: seed", seed, 0, 2**64 - 1)
    pairs = whole_number("addition: pairs", pairs, 1, 2**24)
    test_pairs = whole_number("addition: test_pairs", test_pairs, 1, 2**24)
    fewest = bits if fewest_bits is None else fewest_bits
    fewest = whole_number("addition: fewest_bits", fewest, 1, bits)
    lengths = f",{fewest}" if fewest < bits else ""
    return Addition(
        name=f"addition({bits},{seed},{pairs},{test_pairs}{lengths})",
        train=_draw(seed, pairs, bits, fewest, 0),
        test=_draw(seed, test_pairs, bits, fewest, 2**32 - 1),
        criterion=UnitError(0.5),
        batch_size=20,
        epochs=20,
        n_targets=bits + 1,
        source="Hinton, CSC321 lecture 7",
        bits=bits,
        seed=seed,
        fewest_bits=fewest,
    )


def _draw(seed, pairs, bits, fewest, step):
    """Return cases of random numbers, every bit up to a pair's length on or off alike."""
    draws = uniform(seed, "additions", (pairs * (2 * bits + 1),), step=step)
    digits, lengths = np.split(draws, [2 * bits * pairs])
    lengths = fewest + np.floor((bits - fewest + 1) * lengths)
    within = np.arange(bits) < lengths[:, None, None]
    numbers = (digits.reshape(pairs, 2, bits) < 0.5) & within
    columns = np.zeros((pairs, bits + 1, 2))
    columns[:, :bits] = numbers.transpose(0, 2, 1)
    sums, carry = np.zeros((pairs, bits + 1)), np.zeros(pairs)
    for column in range(bits + 1):
        total = columns[:, column].sum(axis=1) + carry
        sums[:, column], carry = total % 2, total // 2
    return frozen(np.concatenate([columns.reshape(pairs, -1), sums], axis=1))
