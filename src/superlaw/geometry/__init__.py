"""Arrays in, numbers out: overlaps, norms, reference frames."""
