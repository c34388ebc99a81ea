# SPDX-License-Identifier: GPL-3.0-or-later
"""MFN Face Capture: everything that the extension is made of."""
