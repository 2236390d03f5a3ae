"""The one search: what the console holds at once, then what the engine finds."""
