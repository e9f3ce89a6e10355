"""Files: what a command may write, and the guarded readers of what it is given."""
