"""Where tables of runs come from, one file a format: bytes or a folder in, rows and what is to be said of them out."""
