#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Make or renew a virtual environment with pinned versions.
#
#   tools/make_venv.sh FOLDER REQUIREMENTS [PIP ARGUMENTS]
#
# All packages go in with one pip command: a later one could lift numpy under bpy. PYTHON names
# the interpreter (python3.11 by default).
set -euo pipefail
folder=${1:?FOLDER REQUIREMENTS}
requirements=${2:?FOLDER REQUIREMENTS}
shift 2
python=${PYTHON:-python3.11}
here=$(dirname "${BASH_SOURCE[0]}")

"$here/system_packages.sh" "$python"
if ! "$python" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null; then
  echo "error: $python is not Python 3.11, which Blender's module needs:" \
    "install python3.11, or name one with 'make PYTHON=/path/to/python3.11'" >&2
  exit 2
fi

echo "making $folder from $requirements (the first time downloads Blender: minutes)"
"$python" -m venv "$folder"
"$folder/bin/pip" install --disable-pip-version-check --requirement "$requirements" "$@"
"$folder/bin/pip" check --disable-pip-version-check
touch "$folder/made"
