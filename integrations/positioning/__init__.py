"""Positioning: ultra-wideband tags of four makes, one model of where people are."""
