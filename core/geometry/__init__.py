"""Simultaneous work: shapes, distances, and the worker that measures them."""
