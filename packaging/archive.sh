#!/usr/bin/env bash
# Packs a binary with what belongs to it: packaging/archive.sh TARGET BINARY OUT
# Gives OUT/overgrant-TARGET.tar.gz, for Windows .zip. The files are at the top of the archive.
set -euo pipefail
target=$1 binary=$2 out=$3
mkdir -p "$out"
out=$(cd "$out" && pwd)
root=$(cd "$(dirname "$0")/.." && pwd)
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
cp "$binary" "$root"/{README.md,LICENSE-APACHE,LICENSE-MIT,NOTICE} "$stage"
cd "$stage"
case $target in
*windows*) 7z a -bso0 "$out/overgrant-$target.zip" ./* ;;
*) tar -czf "$out/overgrant-$target.tar.gz" -- * ;;
esac
