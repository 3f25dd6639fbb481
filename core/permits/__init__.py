"""Work permits: life cycle, interlocks, holds, re-tests."""
