#!/usr/bin/env bash
# npm run demo: installs and builds, then starts Croft, deploys examples/notes, calls it, and says how to go on (demo.ts).
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh

echo "1. Installing"
ensure_packages
bash scripts/runtimes.sh
echo "2. Building"
npm run --silent build
exec node scripts/demo.ts
