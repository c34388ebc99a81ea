# SPDX-License-Identifier: GPL-3.0-or-later
"""What `sample_rigs/build.py` builds the characters with. Runs in bpy 4.2."""
