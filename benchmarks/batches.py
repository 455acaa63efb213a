"""Batches of 100 on 784-20-784, one BLAS thread each. Goal: as fast as NumPy or faster."""

from benchmarks.peers import compare, numpy_batches


def main():
    for precision in ("float32", "float64"):
        compare(
            "batches of 100",
            ">= 1",
            100,
            lambda *a: numpy_batches(*a, batch_size=100),
            precision,
        )
