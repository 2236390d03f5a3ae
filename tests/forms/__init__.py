"""Tests of launch forms: making them, and launching by them."""
