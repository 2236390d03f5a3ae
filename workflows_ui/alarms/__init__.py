"""Alarms about flows that are quiet, late, slow, or fail more than usual."""
