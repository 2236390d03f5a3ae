"""What only `make run` and the checks need; production does not import it."""
