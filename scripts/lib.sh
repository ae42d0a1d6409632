# Sourced by the scripts beside it, from the root of the clone: the tools they share.
# shellcheck shell=bash
export PATH="$PWD/node_modules/.bin:$PATH"

NODE_MAJOR_MIN=24

# npm keeps what it downloads in the home directory: where that cannot be written, beside the clone.
npm_cache=${npm_config_cache:-${HOME:-}/.npm}
if ! mkdir -p "$npm_cache" 2>/dev/null || [ ! -w "$npm_cache" ]; then export npm_config_cache="$PWD/.cache/npm"; fi

# node_modules as package-lock.json says; nothing to do where it is so. prepare.sh, which npm runs at the end, keeps the copy that tells.
ensure_packages() {
  local installed_from=node_modules/.croft-lock
  if [ ! -x node_modules/.bin/vitest ] || { [ -e "$installed_from" ] && ! cmp -s package-lock.json "$installed_from"; }; then
    npm ci --no-audit --no-fund || return
  fi
  [ -x node_modules/.bin/node ] || sh scripts/prepare.sh
  local version
  version=$(node --version 2>/dev/null) || version=none
  version=${version#v}
  if [ "$version" = none ] || [ "${version%%.*}" -lt "$NODE_MAJOR_MIN" ]; then
    echo "Croft needs Node.js $NODE_MAJOR_MIN or newer; this machine's is $version, and npm brought none that runs here: install a current Node.js" >&2
    return 1
  fi
}

# Prints the path of a pip that Python can run as it is: the wheel in Debian's package. For Debian's and Ubuntu's python3, which comes without pip.
# apt-get does this for any user: its lists and archives lie in a folder of ours, and nothing of the system changes.
pip_wheel_from_apt() {
  local folder=.cache/pip wheel scratch
  wheel=$(find "$folder" -name 'pip-*.whl' 2>/dev/null | head -n 1)
  if [ -z "$wheel" ]; then
    command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || return 1
    scratch=$(mktemp -d) || return 1
    mkdir -p "$scratch/lists/partial" "$scratch/archives/partial" "$folder"
    local options=(-qq -o "Dir::State::Lists=$scratch/lists" -o "Dir::Cache=$scratch" -o Dir::State::status=/var/lib/dpkg/status -o Debug::NoLocking=1 -o APT::Sandbox::User=)
    (cd "$scratch" && apt-get "${options[@]}" update && apt-get "${options[@]}" download python3-pip-whl) >&2 && dpkg-deb -x "$scratch"/python3-pip-whl_*.deb "$folder"
    rm -rf "$scratch"
    wheel=$(find "$folder" -name 'pip-*.whl' | head -n 1)
  fi
  [ -n "$wheel" ] && echo "$PWD/$wheel"
}

# Sets PIP to a command that runs pip: the machine's, one in a virtual environment of ours, or the wheel in Debian's package.
find_pip() {
  local python wheel
  for python in python3 python3.14 python3.13 python3.12 python3.11 python3.10; do
    if "$python" -m pip --version >/dev/null 2>&1; then
      PIP=("$python" -m pip)
      return 0
    fi
  done
  if [ -x .cache/pip-venv/bin/pip ] || python3 -m venv .cache/pip-venv >/dev/null 2>&1; then
    PIP=(.cache/pip-venv/bin/python3 -m pip)
    return 0
  fi
  rm -rf .cache/pip-venv
  if wheel=$(pip_wheel_from_apt); then
    PIP=(python3 "$wheel/pip")
    return 0
  fi
  return 1
}
