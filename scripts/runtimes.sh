#!/usr/bin/env bash
# Fills runtimes/*/vendor with the AWS SDKs that Lambda's own runtimes provide: boto3 for Python, @aws-sdk clients for Node.js.
# Quick where they are there already. What a function bundles itself wins over them.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh

boto3=1.43.11
# The last one for Python 3.8 and 3.9; installed where one of these is.
boto3_old=1.37.38
# The versions of the @aws-sdk clients are those of this lock file; `npm install --package-lock-only` beside it brings new ones.
node_lock=runtimes/node/sdk

python_vendor=runtimes/python/vendor
node_vendor=runtimes/node/vendor
stamp=.croft-sdk

installed() { [ "$(cat "$1/$stamp" 2>/dev/null || true)" = "$2" ]; }

# Without its SDK a function can still run, if it brings its own: say what to do and go on. In CI nothing may be missing.
do_without() {
  echo "runtimes.sh: $1" >&2
  [ "${CI:-}" != true ]
}

# Installs boto3 $2 into $1; further arguments are pip's.
python_sdk() {
  local python_vendor=$1 boto3=$2
  local want="boto3 $boto3"
  installed "$python_vendor" "$want" && return 0
  if ! command -v python3 >/dev/null; then
    do_without "there is no python3 on this machine: Python functions cannot run until one is installed"
    return
  fi
  if ! find_pip; then
    do_without "python3 has no pip: install python3-pip (or python3-venv), then run this again; until then Python functions bring boto3 themselves"
    return
  fi
  echo "runtimes.sh: installing boto3 $boto3 into $python_vendor" >&2
  rm -rf "$python_vendor"
  mkdir -p "$python_vendor"
  # Pure Python, so that one copy serves every version of Python on this machine.
  if ! "${PIP[@]}" install --quiet --disable-pip-version-check --no-warn-conflicts --root-user-action=ignore --no-compile "${@:3}" --target "$python_vendor" "boto3==$boto3"; then
    rm -rf "$python_vendor"
    do_without "boto3 could not be installed: run this again when the package index can be reached; until then Python functions bring boto3 themselves"
    return
  fi
  rm -rf "$python_vendor/bin"
  # Compiled now, for each Python here, so that no function's first import pays for it.
  local python
  for python in python3 "${PYENV_ROOT:-${HOME:-}/.pyenv}"/versions/3.*/bin/python3 /usr/bin/python3; do
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 9))' 2>/dev/null || continue
    "$python" -m compileall -q -x '/(docs|examples)/' "$python_vendor" >/dev/null 2>&1 || true
  done
  echo "$want" > "$python_vendor/$stamp"
}

node_sdk() {
  local want
  want="@aws-sdk $(cksum < "$node_lock/package-lock.json")"
  installed "$node_vendor" "$want" && return 0
  echo "runtimes.sh: installing @aws-sdk clients into $node_vendor" >&2
  rm -rf "$node_vendor"
  mkdir -p "$node_vendor"
  cp "$node_lock/package.json" "$node_lock/package-lock.json" "$node_vendor/"
  if ! npm ci --prefix "$node_vendor" --no-audit --no-fund --ignore-scripts --loglevel error; then
    rm -rf "$node_vendor"
    do_without "the @aws-sdk clients could not be installed: run this again when the registry can be reached; until then Node.js functions bring them themselves"
    return
  fi
  echo "$want" > "$node_vendor/$stamp"
}

has_old_python() {
  local python
  for python in python3.8 python3.9 "${PYENV_ROOT:-${HOME:-}/.pyenv}"/versions/3.[89].*/bin/python3; do
    "$python" -c '' 2>/dev/null && return 0
  done
  return 1
}

python_sdk "$python_vendor" "$boto3"
if has_old_python; then python_sdk "$python_vendor-old" "$boto3_old" --python-version 3.8 --only-binary :all:; fi
node_sdk
