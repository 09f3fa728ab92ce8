"""`python -m tess_openai.cli`, the same as `tess-openai`."""

from __future__ import annotations

import sys

from tess_openai.cli import main

if __name__ == "__main__":
    sys.exit(main())
