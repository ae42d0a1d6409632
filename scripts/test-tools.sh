#!/usr/bin/env bash
# The clients that the tests drive Croft with: boto3 and the aws command line, in .venv; quick when they are there.
# With root, the system packages too (PostgreSQL, Chromium): a test that misses one is skipped and says so, unless CI=true, which skips nothing.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh

BOTO3=1.43.11
AWSCLI=1.45.11

have() { command -v "$1" >/dev/null 2>&1; }
missing=()
reasons=()
wanted() {
  missing+=("$1")
  reasons+=("test-tools.sh: $2: install $1")
}

have postgres || ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || wanted postgresql "tests on PostgreSQL will be skipped"
have chromium || have chromium-browser || have google-chrome || wanted chromium "tests in a browser will be skipped"
have zip || wanted zip "the pandas-deps test will be skipped"
have curl || wanted curl "tests that use curl will be skipped"

install_missing() {
  [ "$(id -u)" = 0 ] && have apt-get || return 1
  echo "test-tools.sh: installing ${missing[*]}" >&2
  apt-get update -qq >/dev/null && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

if [ "${#missing[@]}" -gt 0 ] && ! install_missing; then
  printf '%s\n' "${reasons[@]}" >&2
  [ "${CI:-}" != true ] || exit 1
fi

venv_is_current() { [ -x .venv/bin/aws ] && .venv/bin/python -c "import boto3, sys; sys.exit(boto3.__version__ != '$BOTO3')" 2>/dev/null; }
if ! venv_is_current; then
  rm -rf .venv
  if python3 -m venv .venv >/dev/null 2>&1; then
    pip=(.venv/bin/python -m pip)
  # Debian's Python cannot put pip into it (python3-venv would): another pip does that.
  elif rm -rf .venv && python3 -m venv --without-pip .venv && wheel=$(pip_wheel_from_apt); then
    pip=(.venv/bin/python "$wheel/pip")
  else
    rm -rf .venv
    echo "test-tools.sh: the tests that use boto3 and aws need a python3 that can make virtual environments: install python3-venv" >&2
    exit 1
  fi
  "${pip[@]}" install --quiet --disable-pip-version-check --root-user-action=ignore pip "boto3==$BOTO3" "awscli==$AWSCLI" || {
    rm -rf .venv
    exit 1
  }
fi

# The SDKs of durable functions, which the tests put into functions' packages: about 3 MB. What they need besides is in the runtimes.
DURABLE_PYTHON=3.0.0
DURABLE_JS=2.4.0
durable=.cache/durable-sdk
if [ "$(cat "$durable/.stamp" 2>/dev/null || true)" != "$DURABLE_PYTHON $DURABLE_JS" ]; then
  rm -rf "$durable"
  mkdir -p "$durable/python" "$durable/js"
  find_pip
  # Installed without being run here: functions run it with the Python of their runtime.
  "${PIP[@]}" install --quiet --disable-pip-version-check --root-user-action=ignore --no-deps --ignore-requires-python --target "$durable/python" "aws-durable-execution-sdk-python==$DURABLE_PYTHON"
  (cd "$durable/js" && npm pack --silent "@aws/durable-execution-sdk-js@$DURABLE_JS" >/dev/null && tar xzf ./*.tgz && rm ./*.tgz)
  echo "$DURABLE_PYTHON $DURABLE_JS" >"$durable/.stamp"
fi

# AWS's runtime interface client for Python, unmodified, for the Python that pip belongs to: its wheels are of one version.
RIC=4.2.2
ric=.cache/clients/python
if [ "$(cat "$ric/.stamp" 2>/dev/null || true)" != "$RIC" ]; then
  rm -rf "$ric"
  mkdir -p "$ric"
  find_pip
  # Where no wheel fits, its tests are skipped and say so.
  if "${PIP[@]}" install --quiet --disable-pip-version-check --root-user-action=ignore --only-binary :all: --target "$ric" "awslambdaric==$RIC"; then
    "${PIP[0]}" -c 'import sys; print("%d.%d" % sys.version_info[:2])' >"$ric/.python"
    echo "$RIC" >"$ric/.stamp"
  else
    echo "test-tools.sh: awslambdaric $RIC has no wheel for ${PIP[0]}: its tests will be skipped" >&2
    rm -rf "$ric"
    [ "${CI:-}" != true ] || exit 1
  fi
fi

# debugpy, for the tests that stop Python functions at breakpoints: the wheel that any Python takes.
DEBUGPY=1.8.22
debugpy=.cache/debugpy
if [ "$(cat "$debugpy/.stamp" 2>/dev/null || true)" != "$DEBUGPY" ]; then
  rm -rf "$debugpy"
  mkdir -p "$debugpy"
  find_pip
  "${PIP[@]}" install --quiet --disable-pip-version-check --root-user-action=ignore --no-deps --no-compile --only-binary=:all: --platform any --target "$debugpy" "debugpy==$DEBUGPY"
  echo "$DEBUGPY" >"$debugpy/.stamp"
fi
