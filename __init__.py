# SPDX-License-Identifier: GPL-3.0-or-later
"""The extension's door: Blender calls `register` and `unregister`, nothing else is in here."""


def register() -> None:
    """Called by Blender when the extension is enabled."""
    from .mfn_addon import ui

    ui.register()


def unregister() -> None:
    """Called by Blender when the extension is disabled."""
    from .mfn_addon import ui

    ui.unregister()
