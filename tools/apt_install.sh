#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Install packages of Debian or Ubuntu when it may: as root, or with a sudo that asks for no
# password. The exit status is 1 where it may not, or where there is no apt.
#
#   tools/apt_install.sh PACKAGE...
set -euo pipefail
as_root=()
if [[ $(id -u) -ne 0 ]]; then as_root=(sudo -n); fi
if ! command -v apt-get >/dev/null || ! "${as_root[@]}" true 2>/dev/null; then exit 1; fi
echo "installing $*"
"${as_root[@]}" apt-get update -q
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
  apt-get install -y -q --no-install-recommends "$@"
