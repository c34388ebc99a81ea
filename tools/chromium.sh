#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Install the system's Chromium, in which the tests open the phone's page, and certutil, which has
# it trust a certificate, unless they are there. Where that cannot be done it says so in one line:
# the tests that need them are then skipped.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
need() { # PACKAGE WHAT COMMAND...
  local package=$1 what=$2
  shift 2
  for command in "$@"; do if command -v "$command" >/dev/null; then return; fi; done
  ./apt_install.sh "$package" || echo "skipped: $what: install the system's package $package"
}
need chromium "the tests that open the phone's page need Chromium" chromium chromium-browser
need libnss3-tools "the test of a trusted certificate needs certutil" certutil
