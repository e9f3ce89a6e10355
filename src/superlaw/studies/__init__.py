"""Whole questions, answered with all of the parts below them."""
