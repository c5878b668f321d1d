#!/bin/sh
# Compiles trace.bpf.c to trace.bpf.o, byte for byte the same wherever it is done, with Debian 12's clang-14, llvm-14
# and libbpf-dev. `build.sh --check` compares with what is committed instead of replacing it.
set -eu
cd "$(dirname "$0")"
object=trace.bpf.o
[ "${1-}" = --check ] && object=$(mktemp)
clang-14 -target bpf -mcpu=v3 -O2 -g -Wall -Werror -D__TARGET_ARCH_x86 -I/usr/include/x86_64-linux-gnu \
    -ffile-prefix-map="$PWD"=. -fdebug-compilation-dir=. -c trace.bpf.c -o "$object"
llvm-strip-14 -g "$object"
if [ "${1-}" = --check ]; then
    cmp "$object" trace.bpf.o && sha256sum --quiet --check trace.bpf.o.sha256
    rm -f "$object"
else
    sha256sum trace.bpf.o >trace.bpf.o.sha256
fi
