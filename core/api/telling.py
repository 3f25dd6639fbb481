"""Say a message in the reader's language: what a plugin's own commands need of texts.

For whatever speaks to a person; the safety process never imports it.
"""

from core.texts.sentences import both, reader, say

__all__ = ["both", "reader", "say"]
