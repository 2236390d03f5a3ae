"""The engine's operations, one file for each kind of thing. `Workflows` in `workflows.py` is all of them together."""
