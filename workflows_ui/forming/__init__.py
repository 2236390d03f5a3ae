"""Forms for launching a flow: their document, their proposal, and what a filled form sends. Knows no models, no requests, no engine calls."""
