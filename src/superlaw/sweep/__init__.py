"""Sweeps: plans, the store of runs, and their execution."""
