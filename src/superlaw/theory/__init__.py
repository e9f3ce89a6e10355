"""Closed forms, their parameters passed in."""
