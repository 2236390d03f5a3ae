"""Alarms of flows: quiet, longer than usual, failing more than usual, and missed times of schedules."""
