"""Garbage collection. A full one stops all threads of a process, for a tenth of a second if it looks through all modules."""

import gc


def keep_loaded() -> None:
    """Leave all present objects out of garbage collection: modules, models and URLs, which stay until the process ends."""
    gc.collect()
    gc.freeze()
