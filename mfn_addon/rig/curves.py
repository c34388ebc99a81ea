# SPDX-License-Identifier: GPL-3.0-or-later
"""Animation curves of an ID, the same way on every Blender: 4.2's plain actions, and the slotted
actions of 4.4 and later (https://developer.blender.org/docs/release_notes/4.4/upgrading/).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np

from ..take import Take

Owner = bpy.types.Object | bpy.types.Key

TAKE_PROPERTY = "mfn_take"
"""On an action that a bake made: the id of the take it was baked from."""

_OURS = "MFN "
"""What the groups of baked curves are called begins so: curves that an animator keys get groups
of other names, so that ours can be told from theirs in one action."""

_LINEAR = 1
_STORED = np.uint8
"""How Blender keeps an interpolation: of any other type it would convert key by key, which takes
ten times as long."""


@dataclass(frozen=True)
class Origin:
    """The take that is baked: its lasting id, and what it is called now."""

    id: str
    name: str

    @classmethod
    def of(cls, take: Take) -> Origin:
        """An open take's."""
        return cls(take.id, take.path.stem)

    def made(self, action: bpy.types.Action | None) -> bool:
        """Whether a bake of this take made the action; earlier versions noted takes by name."""
        return action is not None and action.get(TAKE_PROPERTY) in (self.id, self.name)


@dataclass(frozen=True)
class Earlier:
    """What an earlier bake of the take made for an ID: an action, and its slot there, if any."""

    action: bpy.types.Action
    slot: Any = None


class Curves:
    """The curves of one ID's action, to be replaced channel by channel.

    A character's own action is kept and only the channels that the face drives are replaced in
    it, so that a body's animation survives. A bake's action from another take is kept aside.
    What earlier bakes wrote is taken out first, also where nothing drives it any more.
    """

    def __init__(
        self,
        owner: Owner,
        name: str,
        take: Origin,
        *,
        apart: bool = False,
        earlier: Earlier | None = None,
    ) -> None:
        """Find or make the owner's action.

        Args:
            owner: a character's armature or its shape keys.
            name: what a new action is called.
            take: which take is baked into it.
            apart: use an action of the take's own for an NLA strip. The owner keeps its active
                action without what bakes wrote there, or none where a bake made it: it would
                hide the strip.
            earlier: what a strip of this take played, to be used again: the take or the
                character may be called otherwise now.
        """
        data = owner.animation_data or owner.animation_data_create()
        if data is None:
            raise RuntimeError(f"{owner.name!r} cannot be animated")
        action = data.action
        again = take.made(action)
        if action is not None and again and apart:
            earlier = Earlier(action, getattr(data, "action_slot", None))
        if action is not None and TAKE_PROPERTY in action and (apart or not again):
            action.use_fake_user = True  # no longer active, but still there to go back to
            action = data.action = None
        if apart:
            _drop_active(data)
        if apart or action is None:
            action = earlier.action if earlier else _action_of(name, take, owner)
            if not apart:
                data.action = action
        if take.made(action):
            action[TAKE_PROPERTY] = take.id
        self.action = action
        self.slot = _slot_of(owner, None if apart else data, action, earlier)
        self._holder = _holder(action, self.slot)
        self._curves = self._holder.fcurves
        _drop_ours(self._curves)

    def replace(
        self, path: str, index: int, frames: np.ndarray, values: np.ndarray, group: str
    ) -> int:
        """Give one channel (n,) values at (n,) frames, linear between them.

        A channel that never moves gets a single key: it still holds its value against what a
        live preview left behind. The curve's group is `group` with a prefix that marks a bake.

        Returns:
            The number of keys.
        """
        old = self._curves.find(path, index=index)
        if old is not None:
            self._curves.remove(old)
        if len(values) > 1 and np.ptp(values) < 1e-6:
            frames, values = frames[:1], values[:1]
        curve = self._new(path, index, group)
        curve.auto_smoothing = "NONE"  # else each edit solves for tangents over thousands of keys
        points = curve.keyframe_points
        points.add(len(frames))
        places = np.empty((len(frames), 2), np.float32)
        places[:, 0], places[:, 1] = frames, values
        points.foreach_set("co", places.ravel())
        points.foreach_set("interpolation", np.full(len(frames), _LINEAR, _STORED))
        curve.update()
        return len(frames)

    def _new(self, path: str, index: int, group: str) -> Any:
        # Put into its group afterwards: `new` calls the group `action_group` in 4.2 and
        # `group_name` in 5.0, and takes none in 4.5.
        curve = self._curves.new(path, index=index)
        name, groups = _OURS + group, self._holder.groups
        curve.group = groups.get(name) or groups.new(name)
        return curve


def _action_of(name: str, take: Origin, owner: Owner) -> bpy.types.Action:
    """The action of this name from this take, or a new one.

    Where actions have slots, a character's shape keys and bones share one action; 4.2 needs one
    for each kind of ID.
    """
    if not hasattr(bpy.types.Action, "slots"):
        name = f"{name} {'shapes' if owner.id_type == 'KEY' else 'bones'} {owner.name}"
    for action in bpy.data.actions:
        if take.made(action) and action.get("mfn_name") == name:
            return action
    action = bpy.data.actions.new(name)
    action[TAKE_PROPERTY] = take.id
    action["mfn_name"] = name
    return action


def _slot_of(
    owner: Owner, data: bpy.types.AnimData | None, action: Any, earlier: Earlier | None
) -> Any:
    """The owner's slot in the action, which `data` is told of; None where there are no slots."""
    if not hasattr(action, "slots"):
        return None
    slot = data.action_slot if data is not None else None
    if slot is None:
        slot = earlier.slot if earlier else action.slots.get(f"{owner.id_type[:2]}{owner.name}")
        slot = slot or action.slots.new(id_type=owner.id_type, name=owner.name)
        if data is not None:
            data.action_slot = slot
    return slot


def _holder(action: Any, slot: Any) -> Any:
    """What has the curves and their groups: 4.2's action, later a channelbag of it."""
    if slot is None:
        return action
    layer = action.layers[0] if action.layers else action.layers.new("Layer")
    strip = layer.strips[0] if layer.strips else layer.strips.new(type="KEYFRAME")
    return strip.channelbag(slot, ensure=True)


def _drop_active(data: Any) -> None:
    """Take what bakes wrote out of the action that an ID plays."""
    action = data.action
    if action is None:
        return
    slot = data.action_slot if hasattr(action, "slots") else None
    if slot is not None or not hasattr(action, "slots"):
        _drop_ours(_holder(action, slot).fcurves)


def is_baked(curve: Any) -> bool:
    """Whether a bake wrote the curve."""
    return curve.group is not None and curve.group.name.startswith(_OURS)


def _drop_ours(curves: Any) -> None:
    for curve in list(curves):
        if is_baked(curve):
            curves.remove(curve)
