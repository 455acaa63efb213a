"""Run every benchmark, or those named: python -m benchmarks [chips] [batches] [online]."""

import sys

from benchmarks import batches, chips, fixed_online, online, spiking

QUESTIONS = {
    "chips": chips,
    "batches": batches,
    "online": online,
    "fixed_online": fixed_online,
    "spiking": spiking,
}

for name in sys.argv[1:] or QUESTIONS:
    QUESTIONS[name].main()
