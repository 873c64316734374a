"""Benchmarks with one contract: `python -m benchmarks NAME [--rows N]`, the result as JSON in the last line."""
