#!/usr/bin/env bash
# Makes the context of the Dockerfile: packaging/container/context.sh BINARIES OUT
# BINARIES has a folder for each target of packaging/targets.json, with the binary in it.
set -euo pipefail
binaries=$1 out=$2
for pair in amd64:x86_64 arm64:aarch64; do
  mkdir -p "$out/${pair%:*}"
  install -m 0755 "$binaries/${pair#*:}-unknown-linux-musl/overgrant" "$out/${pair%:*}/overgrant"
done
