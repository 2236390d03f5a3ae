"""The console's own forms, one module an area."""
