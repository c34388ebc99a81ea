# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the benchmarks one after another, each in a process of its own, and print their tables.

    python -m benchmarks.run                         all of them, into build/bench/
    python -m benchmarks.run --only network tick     some of them
    python -m benchmarks.run --quick                 few repeats: does it run?

A figure is the median of many calls. Where there is a limit that no product can pass (the bare
network, Blender's own evaluation, a bare loop), it is measured in turn with ours in the same
process, and the ratio is what counts: it holds on other machines.
"""

from __future__ import annotations

import argparse
import importlib
import subprocess
import sys
from pathlib import Path

BENCHMARKS = ("network", "live", "tick", "bake", "recording", "footage", "link")


def main(arguments: list[str] | None = None) -> int:
    """The command line. Returns the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", choices=BENCHMARKS, default=BENCHMARKS)
    parser.add_argument("--output", type=Path, default=Path("build/bench"), metavar="FOLDER")
    parser.add_argument("--quick", action="store_true", help="few repeats, no trustworthy figure")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    options.output.mkdir(parents=True, exist_ok=True)
    if options.inside:
        _run_here(options.only[0], options.output, options.quick)
        return 0
    failed = []
    for number, name in enumerate(options.only, 1):
        print(f"[{number}/{len(options.only)}] {name} ...", file=sys.stderr)
        command = [sys.executable, "-m", "benchmarks.run", "--inside", "--only", name]
        command += ["--output", str(options.output), *(["--quick"] if options.quick else [])]
        if subprocess.run(command, check=False).returncode:
            failed.append(name)
    tables = sorted(options.output.glob("*.md"), key=_order)
    text = "\n".join(p.read_text(encoding="utf-8") for p in tables if p.stem in BENCHMARKS)
    (options.output / "all.md").write_text(text, encoding="utf-8")
    print(text)
    if failed:
        print(f"error: failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def _run_here(name: str, output: Path, quick: bool) -> None:
    report = importlib.import_module(f"benchmarks.{name}").run(quick)
    report.write(output / f"{name}.json")
    (output / f"{name}.md").write_text(report.to_markdown(), encoding="utf-8")


def _order(path: Path) -> int:
    return BENCHMARKS.index(path.stem) if path.stem in BENCHMARKS else len(BENCHMARKS)


if __name__ == "__main__":
    sys.exit(main())
