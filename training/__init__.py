# SPDX-License-Identifier: GPL-3.0-or-later
"""How the head model and the networks are made, from public data to `models/`."""
