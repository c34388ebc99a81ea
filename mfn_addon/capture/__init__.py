# SPDX-License-Identifier: GPL-3.0-or-later
"""The sources: each yields FaceFrames.

`footage` decodes files, `solve` turns pictures into FaceFrames, `camera` is the process that
opens a camera or plays footage and sends what it sees through `protocol`, and `live` is the
receiving end, which Blender polls. Nothing is imported here, so that the receiving end does
not load OpenCV.
"""
