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
# The suites of the compute plane once more without isolation: every test runs with the driver of this machine, these with both.
if [ $# -eq 0 ]; then CROFT_ISOLATION=process vitest run src/compute/compute.test.ts src/compute/extensions.test.ts src/compute/layers.test.ts; fi
exec vitest run "$@"
