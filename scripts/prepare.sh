#!/bin/sh
# npm runs this after it has installed: `node` in node_modules/.bin becomes the current Node.js that npm brought, where it runs on this machine,
# and the sandbox helper is built, where there is a C compiler.
cd "$(dirname "$0")/.." && [ -d node_modules/.bin ] || exit 0
# npm up to version 10 takes the link away again together with the package for the other processor, which has the same one.
if [ ! -e node_modules/.bin/node ]; then
  for package in node_modules/node-linux-*; do
    if [ -x "$package/bin/node" ]; then ln -sf "../${package#node_modules/}/bin/node" node_modules/.bin/node; fi
  done
fi
# A system of another kind (musl) cannot run it: its own Node.js has to do then.
if ! node_modules/.bin/node --version >/dev/null 2>&1; then rm -f node_modules/.bin/node; fi
# What this was installed from: lib.sh installs anew when the lock file is another one.
cp package-lock.json node_modules/.croft-lock
sh scripts/native.sh
