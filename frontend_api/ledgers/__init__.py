"""Ledgers of sites: people and cards out of spreadsheets, with reasons for refusals."""
