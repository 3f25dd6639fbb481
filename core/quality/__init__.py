"""Data quality: named filters, scores, a linter; never in the safety process."""
