"""The report of a week: runs of flows and launches of people, as a page that prints and as a file."""
