# SPDX-License-Identifier: GPL-3.0-or-later
"""Phones and other computers as cameras: one TLS server (docs/protocol.md)."""
