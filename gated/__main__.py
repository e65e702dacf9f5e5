"""`python -m gated`."""

from gated.cli.main import main

__all__ = ["main"]

if __name__ == "__main__":
    main()
