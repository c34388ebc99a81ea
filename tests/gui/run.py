# SPDX-License-Identifier: GPL-3.0-or-later
"""Real Blender windows, used as a user would: `make test-gui`, or `python tests/gui/run.py
[footage] [phones]`.

In each Blender that the GUI tool has set up (MFN_GUI_TOOL, by default
../shared/tools/blender_gui.sh; MFN_GUI_SUITES, by default "trixie sid") it installs the built zip
and goes through what footage.py and phones.py tell. Pictures of the screen go to
build/gui/SUITE/footage and phones; look at them too.

What is not there, a Blender or a browser, is said in a line, and passes.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY))

from tests.gui import footage, phones  # noqa: E402, the path comes first
from tests.gui.hand import Window  # noqa: E402
from tests.gui.stage import SHARE, built_extension  # noqa: E402

TOOL = Path(os.environ.get("MFN_GUI_TOOL", REPOSITORY.parent / "shared/tools/blender_gui.sh"))
SUITES = os.environ.get("MFN_GUI_SUITES", "trixie sid").split()
CHROOTS = Path(os.environ.get("GUI_ROOT", "/var/tmp/blender_gui"))
PICTURES = REPOSITORY / "build" / "gui"
SCENARIOS = {"footage": footage, "phones": phones}


def main() -> int:
    """Run what is named, or everything, in every suite there is; returns the exit status."""
    if reason := why_nothing():
        print(f"skipped: {reason}")
        return 0
    wanted = sys.argv[1:] or list(SCENARIOS)
    passed = True
    for suite in SUITES:
        if not (CHROOTS / suite / "usr/bin/blender").exists():
            print(f"{suite}: skipped: not set up (run `{TOOL} setup {suite}`)")
            continue
        for name in wanted:
            passed &= run(suite, name)
    return 0 if passed else 1


def run(suite: str, name: str) -> bool:
    """Run one scenario in one suite's Blender; returns whether it passed or had to be skipped."""
    if reason := SCENARIOS[name].why_not():
        print(f"{suite}, {name}: skipped: {reason}")
        return True
    window = Window(TOOL, suite, SHARE, PICTURES / suite / name)
    print(f"{suite}, {name}", flush=True)
    try:
        SCENARIOS[name].perform(window)
    except Exception as error:
        print(f"{suite}, {name}: FAILED: {error}\n  pictures: {window.pictures}", file=sys.stderr)
        return False
    finally:
        window.close()
    print(f"{suite}, {name}: passed with Blender {window.state()['version']}")
    return True


def why_nothing() -> str:
    """Why nothing can be tested here, or ""."""
    if not TOOL.is_file():
        return f"no GUI tool at {TOOL} (set MFN_GUI_TOOL)"
    if os.geteuid() != 0:
        return f"{TOOL.name} needs root"
    if built_extension() is None:
        return "the extension is not built (run `make extension`)"
    return ""


if __name__ == "__main__":
    sys.exit(main())
