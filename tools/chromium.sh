#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Install the system's Chromium, in which the tests open the phone's page, unless it is there.
# Where that cannot be done it says so in one line: those tests are then skipped.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
if command -v chromium >/dev/null || command -v chromium-browser >/dev/null; then exit 0; fi
./apt_install.sh chromium || echo \
  "skipped: the tests that open the phone's page need Chromium: install the system's package chromium"
