"""Case by case on 784-20-784. Goal: at least 5 times NumPy."""

from benchmarks.peers import compare, numpy_online


def main():
    for precision in ("float32", "float64"):
        compare("online", ">= 5", 1, numpy_online, precision)
