#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Install what Blender's Python module needs from the system, where something is absent.
#
#   tools/system_packages.sh [PYTHON]
#
# Installs with apt when it may (root, or sudo without a password); otherwise says in one line
# what to install.
set -euo pipefail
python=${1:-python3.11}
[[ $(uname) == Linux ]] || exit 0

# the shared library that bpy loads, and the package that Debian and Ubuntu keep it in
libraries="libX11.so.6=libx11-6 libXrender.so.1=libxrender1 libXfixes.so.3=libxfixes3
  libXi.so.6=libxi6 libxkbcommon.so.0=libxkbcommon0 libSM.so.6=libsm6 libICE.so.6=libice6
  libGL.so.1=libgl1"

missing=()
known=$(/sbin/ldconfig -p)
for pair in $libraries; do
  [[ $known == *"${pair%%=*}"* ]] || missing+=("${pair##*=}")
done
if ! command -v "$python" >/dev/null && [[ $python == python3.11 ]]; then
  missing+=(python3.11 python3.11-venv)
elif command -v "$python" >/dev/null && ! "$python" -c 'import ensurepip' 2>/dev/null; then
  missing+=(python3.11-venv)
fi
[[ ${#missing[@]} -eq 0 ]] && exit 0

"$(dirname "${BASH_SOURCE[0]}")/apt_install.sh" "${missing[@]}" || {
  echo "error: please install these system packages first: sudo apt install ${missing[*]}" >&2
  exit 2
}
