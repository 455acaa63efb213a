"""Run every benchmark, or those named: python -m benchmarks [chips] [batches] [online]."""

import sys

from benchmarks import batches, chips, online

QUESTIONS = {"chips": chips, "batches": batches, "online": online}

for name in sys.argv[1:] or QUESTIONS:
    QUESTIONS[name].main()
