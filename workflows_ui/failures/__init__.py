"""Failures that have the same cause: folded together, assigned, snoozed, handled, and noted what helped."""
