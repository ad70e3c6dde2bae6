"""Every figure that we claim, as a command: ``python -m benchmarks.<name>``."""
