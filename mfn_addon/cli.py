# SPDX-License-Identifier: GPL-3.0-or-later
"""The terminal's door: `mfn COMMAND …`, or `python -m mfn_addon.cli COMMAND …`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from .capture.errors import InputError
from .take.errors import TakeError

_COMMANDS = {
    "solve": "pictures and videos to lines of faces, and to a take",
    "refine": "a take once more from its footage, with time: steadier and without lag",
    "bake": "a take to keyframes on characters",
    "export": "a take to lines of faces",
    "evaluate": "how good the network is, on data with known answers",
    "camera": "live faces of a camera or of footage, to Blender or to a take",
    "serve": "live faces of phones and other computers, to a take",
}
"""Each is a module in `commands`, imported only when it is called, with a docstring, EXAMPLES,
`add_arguments(parser)` and `run(args) -> exit status`."""

UNUSABLE_INPUT = 2
_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Returns:
        The exit status: 0 for success, 2 for unusable input, after one line that says what and
        where, and 130 where the user has interrupted it.
    """
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    if not arguments or arguments[0] not in _COMMANDS:
        _parser().parse_args(arguments)  # helps, or exits with an error
    name = arguments[0]
    command = import_module(f".commands.{name}", __package__)
    parser = argparse.ArgumentParser(
        prog=f"mfn {name}",
        description=command.__doc__,
        epilog="examples:\n" + "\n".join(f"  {line}" for line in command.EXAMPLES),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_arguments(parser)
    args = parser.parse_args(arguments[1:])
    try:
        return command.run(args)
    except (InputError, TakeError) as error:
        problem = str(error)
    except BrokenPipeError:  # `mfn … | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        problem = f"{error.filename or 'the system'}: {error.strerror or error}"
    except KeyboardInterrupt:
        print(f"mfn {name}: interrupted", file=sys.stderr)
        return _INTERRUPTED
    print(f"mfn {name}: {problem}", file=sys.stderr)
    return UNUSABLE_INPUT


def _parser() -> argparse.ArgumentParser:
    """What `mfn --help` shows."""
    width = max(map(len, _COMMANDS))
    parser = argparse.ArgumentParser(
        prog="mfn",
        description="Faces of any number of actors, from footage or a camera, for any rig.",
        epilog="commands:\n"
        + "\n".join(f"  {name:{width}}  {what}" for name, what in _COMMANDS.items())
        + "\n\n`mfn COMMAND --help` shows a command's options and examples.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("command", choices=_COMMANDS, metavar="COMMAND")
    return parser


if __name__ == "__main__":
    sys.exit(main())
