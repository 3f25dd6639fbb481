"""The clock as integrations and their simulators see it: its types and its unit."""

from core.clock import NS, AsyncClock, Clock, RealClock, loop_ns

__all__ = ["NS", "AsyncClock", "Clock", "RealClock", "loop_ns"]
