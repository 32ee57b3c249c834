"""Benchmarks: the same work in minigan and in PyTorch, side by side. Run `python -m bench`."""
