"""The one protocol between processes: frames, lanes, credit."""
