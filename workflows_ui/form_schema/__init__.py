"""Documents of launch forms, and the values that a filled form sends. Uses no rows, requests or engine calls."""
