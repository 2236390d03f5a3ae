"""Panels of a workspace's home page for those who watch it. All are made of local rows."""
