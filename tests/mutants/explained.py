"""Faults that survive for a reason: no test could notice them, or none should."""

#: By module below workflows_ui and what the fault changes: the reason, one of the kinds in docs/mutants.md.
EXPLAINED: dict[tuple[str, str], str] = {}
