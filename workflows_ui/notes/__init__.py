"""Notes of people on flows, runs and launches."""
