"""``safehold events``, ``trace`` and ``export``: the journal as people read it."""
