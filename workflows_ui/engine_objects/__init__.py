"""The engine's objects with typed attributes, declared by readers (core/readers.py). An attribute is named as the engine's key."""
