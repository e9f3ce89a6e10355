"""python -m superlaw"""

from superlaw.cli.main import main

if __name__ == "__main__":
    main()
