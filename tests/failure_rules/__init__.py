"""Tests of rules for failures."""
