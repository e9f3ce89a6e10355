"""Functional forms and their fits: a table and a law give a Fit."""
