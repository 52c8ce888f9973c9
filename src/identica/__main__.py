"""The command line, as python -m identica."""

import sys

from identica.cli import main

if __name__ == "__main__":
    sys.exit(main())
