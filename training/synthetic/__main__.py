# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m training.synthetic`. What it runs lies in a module of its own: spawned workers cannot
import from a `__main__` inside a package."""

from .making import main

if __name__ == "__main__":
    main()
