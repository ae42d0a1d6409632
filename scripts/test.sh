#!/usr/bin/env bash
# npm test: installs what the tests need, then runs them. CROFT_SOAK=1 runs the long counts.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh

ensure_packages
bash scripts/runtimes.sh
bash scripts/test-tools.sh
sh scripts/native.sh
export PATH="$PWD/.venv/bin:$PATH"
exec vitest run "$@"
