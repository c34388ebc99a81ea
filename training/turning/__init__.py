# SPDX-License-Identifier: GPL-3.0-or-later
"""Photographs of faces, turned aside: real skin and hair where photographers wait for the front.

    python -m training.turning --photos training/runs/photos.npz --output training/runs/turned \
        --count 15000

The idea is face profiling (Zhu et al., "Face Alignment Across Large Poses", CVPR 2016). The head
model fitted to a photograph gives its pixels a depth; the head's outline lends its own to the hair
around it. The photograph, as a fine mesh, is turned about the head's middle, bending at the neck,
and drawn again with a z-buffer; the picture's rim stays where it is. What the photograph does not
show of the head is drawn from the head model: with the mirrored side's skin on the face, with what
lies at the outline elsewhere. Identity and expression stay, the pose follows exactly.

PATH is a folder of .npy arrays; rows not made yet have a scale of NaN, so a stopped run goes on:

    images     (n, s, s, 3) uint8 RGB
    rotation   (n, 3, 3) relative to the line of sight
    centre     (n, 2) px, scale (n,) px a metre
    identity   (n, 40), expression (n, 52) weights
    source     (n,) rows of the photographs
"""
