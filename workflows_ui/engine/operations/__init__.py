"""The engine's operations, a module for each kind of object. `Workflows` in `workflows.py` combines them."""
