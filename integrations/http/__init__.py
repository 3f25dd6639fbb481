"""Other systems over HTTP: polled, or told by webhook; JSON or CSV, by a mapping."""
