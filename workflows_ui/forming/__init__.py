"""Launch forms: their document, their proposal, and what a filled form sends. Knows no rows, no requests, no engine calls."""
