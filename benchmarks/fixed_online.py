"""Online int16 training with stochastic rounding on 784-20-784, one core.

Goal: native at least 20 times the best NumPy form that we know of, and at least
2.5 times Numba, in the same run. All three hold the same integers, which is
checked before any time is taken.
"""

import statistics
import time

import numpy as np
from threadpoolctl import threadpool_limits

import recirc_hw as rh
from benchmarks.peers import images
from recirc_hw.backends import Job, Watch, native, numba_jit
from recirc_hw.programs import FixedState
from recirc_hw.programs.tables import entries
from recirc_hw.random_streams import rounding_key

COUNT, ROUNDS = 1000, 5
WEYL = np.uint32(0x9E3779B9)


def design():
    """The 784-20-784 loop, plain recirculation, 16-bit weights."""
    network = rh.Loop(784, 20, hidden="tanh", initial_weights="glorot")
    rule = rh.Recirculation(combine="PR", presynaptic="first", learning_rate=2.0**-8)
    substrate = rh.FixedPoint(weight_bits=16, weight_fraction_bits=12, rounding="stochastic")
    return rh.Design(network, rule, substrate)


def job(cases):
    """One pass over the cases, as a backend is given it."""
    chip = design().fabricate(0)
    weights = [matrix[None].copy() for matrix in chip.matrices]
    word = f"int{chip.program.word}"
    return Job(
        chip.program, weights, [np.zeros(w.shape, word) for w in weights], cases,
        np.arange(len(cases))[None], np.arange(1, len(cases) + 1), Watch.start(1),
        body=FixedState.start([0], 2),
    )  # fmt: skip


class NumpyForm:
    """The same integers in NumPy: 32-bit arrays, buffers kept, silent pixels left out."""

    def __init__(self, program, weights):
        self.program = program
        self.weights = [matrix[0].astype(np.int32) for matrix in weights]
        self.tables = {
            op.matrix: (entries(program.tables[op.table]), op)
            for op in program.case_ops if op.opcode == "project"
        }  # fmt: skip
        self.index = [
            (np.arange(m.cols + 1) * m.rows + np.arange(m.rows)[:, None]).astype(np.uint32)
            * WEYL
            for m in program.layout.matrices
        ]
        self.floats = [np.empty(matrix.shape, np.float64) for matrix in self.weights]

    def project(self, k, source):
        """Return f(M source + b): exact in doubles, which BLAS is fast at."""
        table, op = self.tables[k]
        total = self.floats[k][:, :-1] @ source + self.floats[k][:, -1] * 256
        code = (total.astype(np.int64) + (1 << (op.shift - 1))) >> op.shift
        return table[np.clip(code, op.low, op.high) - op.low]

    def write(self, k, post, pre, step):
        """Round the products of one case into the columns that heard anything."""
        matrix, weights = self.program.layout.matrices[k], self.weights[k]
        columns = np.append(np.flatnonzero(pre), len(pre))
        g = np.outer(post, np.append(pre, 256)[columns]).astype(np.int32)
        bits = self.index[k][:, columns] + rounding_key(0, step, k)
        bits ^= bits >> np.uint32(16)
        bits *= np.uint32(0x7FEB352D)
        bits ^= bits >> np.uint32(15)
        bits *= np.uint32(0x846CA68B)
        bits ^= bits >> np.uint32(16)
        bits >>= np.uint32(32 - matrix.shift)
        g += bits.view(np.int32)
        g >>= matrix.shift
        g += weights[:, columns]
        np.clip(g, matrix.low, matrix.high, out=g)
        weights[:, columns] = g
        self.floats[k][:, columns] = g

    def train(self, cases):
        """Do one pass over the cases."""
        for floats, weights in zip(self.floats, self.weights, strict=True):
            floats[:] = weights
        for step, v in enumerate(cases):
            h = self.project(0, v)
            out = self.project(1, h)
            self.write(1, v - out, h, step)
            again = self.project(0, out)
            self.write(0, h - again, v, step)


def seconds(call):
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def main():
    d = design()
    cases = d.substrate.encode(images(COUNT), d.network)
    threadpool_limits(1)
    first = [job(cases) for _ in range(3)]
    plain = NumpyForm(first[0].program, first[0].weights)
    native.train(first[0])
    numba_jit.train(first[1])
    plain.train(cases)
    for k in range(2):
        np.testing.assert_array_equal(first[0].weights[k], first[1].weights[k])
        np.testing.assert_array_equal(first[0].weights[k][0], plain.weights[k])
    spent = {"native": [], "numba": [], "numpy": []}
    for _ in range(ROUNDS):
        jobs = [job(cases) for _ in range(2)]
        plain = NumpyForm(jobs[0].program, jobs[0].weights)
        spent["native"].append(seconds(lambda: native.train(jobs[0])))  # noqa: B023
        spent["numba"].append(seconds(lambda: numba_jit.train(jobs[1])))  # noqa: B023
        spent["numpy"].append(seconds(lambda: plain.train(cases)))  # noqa: B023
    medians = {name: statistics.median(times) / COUNT * 1e6 for name, times in spent.items()}
    print(
        f"fixed online (int16, stochastic): native {medians['native']:.1f} us, "
        f"Numba {medians['numba']:.1f} us, NumPy {medians['numpy']:.1f} us an update: "
        f"{medians['numpy'] / medians['native']:.1f} times NumPy (goal 20), "
        f"{medians['numba'] / medians['native']:.1f} times Numba (goal 2.5)"
    )


if __name__ == "__main__":
    main()
