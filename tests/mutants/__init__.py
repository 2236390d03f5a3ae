"""Mutation testing: small faults are put into a copy of the code one at a time, and the area's tests must detect each (docs/mutants.md)."""
