"""``python -m befit``: the command line."""

from befit.app.cli import main

if __name__ == "__main__":
    main()
