#!/usr/bin/env bash
# The clients that the tests drive Croft with: boto3 and the aws command line, in .venv; quick when they are there.
# With root, the system packages too (PostgreSQL, Chromium): a test that misses one is skipped and says so, unless CI=true.
set -euo pipefail
cd "$(dirname "$0")/.."

BOTO3=1.43.11
AWSCLI=1.45.11

apt_install() {
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return 1
  [ -n "${APT_UPDATED:-}" ] || { apt-get update -qq >/dev/null && APT_UPDATED=1; }
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

have() { command -v "$1" >/dev/null 2>&1; }
have postgres || ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || apt_install postgresql || echo "tests on PostgreSQL will be skipped: install postgresql"
have chromium || have google-chrome || apt_install chromium || echo "tests in a browser will be skipped: install chromium"
have zip || apt_install zip || echo "the pandas-deps test will be skipped: install zip"
have curl || apt_install curl || echo "curl is missing: some tests will be skipped"

if [ ! -x .venv/bin/aws ] || ! .venv/bin/python -c "import boto3, sys; sys.exit(boto3.__version__ != '$BOTO3')" 2>/dev/null; then
  rm -rf .venv
  python3 -m venv .venv 2>/dev/null || { rm -rf .venv; apt_install python3-venv && python3 -m venv .venv; } || {
    echo "python3 cannot make a virtual environment: install python3-venv" >&2
    exit 1
  }
  .venv/bin/pip install --quiet --disable-pip-version-check "boto3==$BOTO3" "awscli==$AWSCLI"
fi
