"""python -m superlaw, and the command superlaw: one line even where Ctrl-C comes while modules load."""

import sys


def main() -> None:
    """Run the command line."""
    try:
        from superlaw.cli.main import main as run

        run()
    except KeyboardInterrupt:
        print("superlaw: interrupted; nothing half-written", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    main()
