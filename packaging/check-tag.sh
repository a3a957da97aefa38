#!/usr/bin/env bash
# Prints the version of a release tag, if it is that of Cargo.toml: packaging/check-tag.sh v1.2.3
set -euo pipefail
version=$(sed -n '/^\[package\]/,/^\[/s/^version = "\(.*\)"$/\1/p' "$(dirname "$0")/../Cargo.toml")
if [ "$1" != "v$version" ]; then
  echo "the tag is $1, and Cargo.toml says $version" >&2
  exit 1
fi
echo "$version"
