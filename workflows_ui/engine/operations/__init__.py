"""The engine's operations, a module for each kind of object. `Workflows` in `engine/client.py` combines them."""
