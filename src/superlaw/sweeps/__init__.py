"""Sweeps: plans, the store of runs, and their execution (the function is superlaw.sweep)."""
