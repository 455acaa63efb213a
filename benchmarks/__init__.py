"""How fast, one file per question; each states its goal. Run: python -m benchmarks."""
