"""What the benchmarks share: the wire, the load, the stopwatch, the systems."""
