"""The single source of truth: typed events in hash-chained segment files."""
