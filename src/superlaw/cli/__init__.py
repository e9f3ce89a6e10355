"""The command line: one file a noun. Parse, call the library, print; no numerics."""
