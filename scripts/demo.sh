#!/usr/bin/env bash
# npm run demo: installs and builds, then starts Croft, deploys examples/notes, calls it, and says how to go on (demo.ts).
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PWD/node_modules/.bin:$PATH"

echo "1. Installing"
[ -x node_modules/.bin/esbuild ] || npm ci --no-audit --no-fund
bash scripts/runtimes.sh
echo "2. Building"
npm run --silent build
exec node scripts/demo.ts
