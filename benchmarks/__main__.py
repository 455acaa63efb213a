"""Run every benchmark, or those named: python -m benchmarks [chips] [batches] [online]."""

import sys

from benchmarks import analog, batches, chips, fixed_online, online, studies

QUESTIONS = {
    "chips": chips, "batches": batches, "online": online, "fixed_online": fixed_online,
    "studies": studies, "analog": analog,
}  # fmt: skip

for name in sys.argv[1:] or QUESTIONS:
    QUESTIONS[name].main()
