#!/usr/bin/env bash
# Prints what the changelog says of a version, or of what is not released if it has no part of its own:
# packaging/notes.sh VERSION
set -euo pipefail
changelog=$(dirname "$0")/../CHANGELOG.md
part() { awk -v head="## [$1]" 'index($0, "## [") == 1 { on = index($0, head) == 1; next } on' "$changelog"; }
notes=$(part "$1")
[ -n "$notes" ] || notes=$(part Unreleased)
printf '%s\n' "$notes"
