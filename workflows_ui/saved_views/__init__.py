"""Saved views of lists, and the columns that people choose for a list."""
