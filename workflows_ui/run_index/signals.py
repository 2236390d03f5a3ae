"""Signals of the run index, for features above it."""

from django.dispatch import Signal

#: Failed runs were written, perhaps not for the first time. Sent in that transaction, with `workspace_id` and the `rows` (IndexedRun).
runs_failed = Signal()
