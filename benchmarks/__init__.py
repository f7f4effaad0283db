"""What Tidemark costs, as ratios to the least that the same work could cost, measured in one run.

make bench                       every benchmark; writes benchmarks/report.md
python -m benchmarks recording   one of them
"""
