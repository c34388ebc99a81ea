# SPDX-License-Identifier: GPL-3.0-or-later
"""One module for each command of `mfn`. They import what they need when they run, so that
`mfn --help` is instant and no command needs another's libraries."""
