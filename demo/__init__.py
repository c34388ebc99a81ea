# SPDX-License-Identifier: GPL-3.0-or-later
"""`make demo`: footage of several people drives several characters (see demo/README.md)."""
