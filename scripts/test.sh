#!/usr/bin/env bash
# npm test: installs what the tests need, then runs them. CROFT_SOAK=1 runs the long counts.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PWD/node_modules/.bin:$PATH"

[ -x node_modules/.bin/vitest ] || npm ci --no-audit --no-fund
bash scripts/runtimes.sh
bash scripts/test-tools.sh
export PATH="$PWD/.venv/bin:$PATH"
exec vitest run "$@"
