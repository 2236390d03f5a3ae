"""Failures with the same cause: folded, assigned, snoozed, handled, with a note on what to do."""
