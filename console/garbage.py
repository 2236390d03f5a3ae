"""Python's search for garbage. A full one stops all threads of a process, for a tenth of a second if it looks through all modules."""

import gc


def keep_loaded() -> None:
    """Leave what exists now out of all searches: modules, models and addresses, which stay until the process ends."""
    gc.collect()
    gc.freeze()
