#!/usr/bin/env bash
# Prints the formula of a release: packaging/homebrew/formula.sh VERSION SHA256SUMS
set -euo pipefail
version=$1 sums=$2
text=$(sed "s/@VERSION@/$version/g" "$(dirname "$0")/overgrant.rb.in")
while read -r sum name; do
  text=${text//"@SHA256 ${name#\*}@"/$sum}
done <"$sums"
if grep -q '@SHA256' <<<"$text"; then
  echo "$sums lacks an archive of the formula:" >&2
  grep '@SHA256' <<<"$text" >&2
  exit 1
fi
printf '%s\n' "$text"
