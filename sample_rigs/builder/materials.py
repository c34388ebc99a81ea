# SPDX-License-Identifier: GPL-3.0-or-later
"""Materials that look alike in Workbench (viewport colour) and in EEVEE and Cycles (nodes)."""

from __future__ import annotations

import bpy

from .objects import COLOUR_LAYER


def linear(hex_colour: str) -> tuple[float, float, float]:
    """Linear RGB of an sRGB "#rrggbb"."""
    values = [int(hex_colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    return tuple(v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in values)


def material(
    name: str,
    colour: str,
    roughness: float = 0.5,
    subsurface: float = 0.0,
    coat: float = 0.0,
    painted: bool = False,
    emission: float = 0.0,
    matt_view: bool = False,
) -> bpy.types.Material:
    """A Principled material.

    Args:
        colour: sRGB "#rrggbb"; also the viewport's colour.
        subsurface: 0..1, for skin.
        coat: 0..1, a wet layer on top.
        painted: take the colour from the mesh's colour attribute instead.
        matt_view: no highlight in Workbench, whose broad one would veil a dark pupil.
        emission: strength of the colour's own light, for glints.
    """
    made = bpy.data.materials.new(name)
    rgba = (*linear(colour), 1.0)
    made.diffuse_color = rgba
    made.roughness = 1.0 if matt_view else roughness
    made.metallic = 0.0
    made.use_nodes = True
    nodes, links = made.node_tree.nodes, made.node_tree.links
    shader = nodes["Principled BSDF"]
    shader.inputs["Base Color"].default_value = rgba
    shader.inputs["Roughness"].default_value = roughness
    shader.inputs["Coat Weight"].default_value = coat
    shader.inputs["Coat Roughness"].default_value = 0.05
    shader.inputs["Subsurface Weight"].default_value = subsurface
    shader.inputs["Subsurface Radius"].default_value = (1.0, 0.35, 0.2)
    shader.inputs["Subsurface Scale"].default_value = 0.004
    if emission:
        shader.inputs["Emission Color"].default_value = rgba
        shader.inputs["Emission Strength"].default_value = emission
    if painted:
        paint = nodes.new("ShaderNodeVertexColor")
        paint.layer_name = COLOUR_LAYER
        paint.location = (-300, 200)
        links.new(paint.outputs["Color"], shader.inputs["Base Color"])
    return made
