"""Subcommands of ``safehold``, one module each; loaded only when named."""
