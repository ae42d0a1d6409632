#!/usr/bin/env bash
# Regenerates src/models/generated from a pinned botocore wheel; with --check, fails where the committed files differ.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh

version=1.44.5
sha256=8f16a56d1dff125dd65322ae021efa7ba5195a6db5102b96862566055b748921
wheel=".cache/botocore-$version-py3-none-any.whl"

verified() { echo "$sha256  $wheel" | sha256sum --check --status 2>/dev/null; }

mkdir -p .cache
if ! verified; then
  rm -f "$wheel"
  { find_pip && "${PIP[@]}" download "botocore==$version" --no-deps --only-binary=:all: --quiet --disable-pip-version-check --dest .cache; } ||
    { echo "models.sh: botocore $version cannot be had: put its wheel at $wheel" >&2; exit 1; }
  verified || { echo "models.sh: $wheel is not the pinned file (sha256 differs)" >&2; exit 1; }
fi

exec node src/models/codegen/main.ts "$wheel" "$@"
