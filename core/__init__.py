"""The safety process and what every part of the hub shares."""
