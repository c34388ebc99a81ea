# SPDX-License-Identifier: GPL-3.0-or-later
"""What README's figures come from: `make bench`."""
