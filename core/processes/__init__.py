"""Keeper, restart budgets, and the safety process itself."""
