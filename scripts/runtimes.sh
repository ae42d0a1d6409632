#!/usr/bin/env bash
# Fills runtimes/*/vendor with the AWS SDKs that Lambda's own runtimes provide: boto3 for Python, @aws-sdk clients for Node.js.
# Quick where they are there already. What a function bundles itself wins over them.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PWD/node_modules/.bin:$PATH"

boto3=1.43.11
# The newest 3.x there is: npm's resolver keeps the clients' shared packages in step.
sdk=3
clients="api-gateway cloudformation cloudwatch cloudwatch-logs dynamodb dynamodb-streams eventbridge iam lambda s3 scheduler secrets-manager sfn sns sqs ssm sts"

python_vendor=runtimes/python/vendor
node_vendor=runtimes/node/vendor
stamp=.croft-sdk

installed() { [ "$(cat "$1/$stamp" 2>/dev/null || true)" = "$2" ]; }

# A Python with pip: one that has it, one that can make it, one that apt can give it to.
find_pip() {
  local python
  for python in python3 python3.13 python3.12 python3.11 python3.10 "$HOME"/.pyenv/versions/3.1*/bin/python3; do
    if "$python" -m pip --version >/dev/null 2>&1; then
      echo "$python"
      return 0
    fi
  done
  if python3 -m ensurepip --default-pip >/dev/null 2>&1; then
    echo python3
    return 0
  fi
  if python3 -m venv .cache/pip-venv >/dev/null 2>&1; then
    echo .cache/pip-venv/bin/python3
    return 0
  fi
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get install -y -qq python3-pip >/dev/null 2>&1; then
    echo python3
    return 0
  fi
  return 1
}

python_sdk() {
  local want="boto3 $boto3" pip
  installed "$python_vendor" "$want" && return 0
  if ! command -v python3 >/dev/null; then
    echo "runtimes.sh: no python3 on this machine: Python functions cannot run until one is installed" >&2
    return 0
  fi
  if ! pip="$(find_pip)"; then
    echo "runtimes.sh: python3 has no pip: install python3-pip (or python3-venv), then run this again; until then Python functions bring boto3 themselves" >&2
    return 0
  fi
  echo "runtimes.sh: installing boto3 $boto3 into $python_vendor" >&2
  rm -rf "$python_vendor"
  mkdir -p "$python_vendor"
  # Pure Python, so that one copy serves every version of Python on this machine.
  "$pip" -m pip install --quiet --disable-pip-version-check --no-warn-conflicts --root-user-action=ignore --no-compile --target "$python_vendor" "boto3==$boto3"
  rm -rf "$python_vendor/bin"
  # Compiled now, for each Python here, so that no function's first import pays for it.
  local python
  for python in python3 "$HOME"/.pyenv/versions/3.*/bin/python3 /usr/bin/python3; do
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 9))' 2>/dev/null || continue
    "$python" -m compileall -q -x '/(docs|examples)/' "$python_vendor" >/dev/null 2>&1 || true
  done
  echo "$want" > "$python_vendor/$stamp"
}

node_sdk() {
  local want="@aws-sdk $sdk $clients" client packages=()
  installed "$node_vendor" "$want" && return 0
  echo "runtimes.sh: installing @aws-sdk clients into $node_vendor" >&2
  rm -rf "$node_vendor"
  mkdir -p "$node_vendor"
  for client in $clients; do packages+=("@aws-sdk/client-$client@$sdk"); done
  packages+=("@aws-sdk/lib-dynamodb@$sdk" "@aws-sdk/lib-storage@$sdk" "@aws-sdk/util-dynamodb@$sdk" "@aws-sdk/s3-request-presigner@$sdk" "@aws-sdk/credential-providers@$sdk")
  echo '{ "name": "croft-runtime-sdk", "private": true }' > "$node_vendor/package.json"
  npm install --prefix "$node_vendor" --no-audit --no-fund --ignore-scripts --loglevel error "${packages[@]}"
  echo "$want" > "$node_vendor/$stamp"
}

python_sdk
node_sdk
