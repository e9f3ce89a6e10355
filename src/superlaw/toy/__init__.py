"""The superposition toy model: RunSpec -> Run."""
