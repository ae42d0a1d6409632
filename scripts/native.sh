#!/bin/sh
# Builds native/sandboxd with this machine's C compiler; nothing to do where it is built from these sources. Says so where it cannot be built:
# Croft then runs functions as plain processes (`croft doctor`).
cd "$(dirname "$0")/../native/sandboxd" || exit 1
[ "$(uname -s)" = Linux ] || exit 0
out=bin/sandboxd
sources=$(cat ./*.[ch] | cksum)
if [ -x "$out" ] && [ "$(cat bin/sources 2>/dev/null)" = "$sources" ]; then exit 0; fi
skip() {
  echo "native.sh: sandboxd is not built: $1; functions run as plain processes, without isolation" >&2
  exit 0
}
case "$(uname -m)" in x86_64 | aarch64) ;; *) skip "it knows the system calls of x86_64 and aarch64, not of $(uname -m)" ;; esac
for cc in "${CC:-cc}" gcc clang; do command -v "$cc" >/dev/null 2>&1 && break; cc=; done
[ -n "$cc" ] || skip "there is no C compiler (install gcc and libc6-dev, or build-essential)"
mkdir -p bin
# Into place in one step: a Croft that runs has the old one open.
if ! "$cc" -std=c11 -O2 -Wall -Wextra -fPIE -pie -fstack-protector-strong -D_FORTIFY_SOURCE=2 -Wl,-z,relro,-z,now -o "bin/.new.$$" ./*.c 2>bin/errors; then
  rm -f "bin/.new.$$"
  tail -n 3 bin/errors >&2
  skip "the compiler refused it (are libc's headers, libc6-dev, installed?)"
fi
rm -f bin/errors
mv "bin/.new.$$" "$out"
echo "$sources" > bin/sources
