#!/usr/bin/env bash
# The steps of action.yml: `run.sh install`, `run.sh check`, `run.sh comment`, `run.sh finish`. Inputs are OVERGRANT_* variables.
# Works with the Bash 3.2 of macOS.
# shellcheck disable=SC2016 # Back-ticks in messages are no commands.
set -euo pipefail

releases=https://github.com/overgrant/overgrant/releases/download
# Marks the one comment that later runs rewrite.
marker='<!-- overgrant -->'
# Bytes of a comment: GitHub takes 65,536 characters.
comment_limit=60000
# Bytes of a summary: GitHub takes 1 MiB.
summary_limit=900000

# With forward slashes also on Windows, where some tools of Git Bash take a backslash for an escape.
reports=$RUNNER_TEMP/overgrant
if command -v cygpath > /dev/null; then
  reports=$(cygpath -m "$reports")
fi
mkdir -p "$reports"

# A message may hold an input: no line of it starts a workflow command.
fail() {
  local message=${1//%/%25}
  message=${message//$'\r'/%0D}
  echo "::error::${message//$'\n'/%0A}"
  exit 2
}

output() {
  echo "$1=$2" >> "$GITHUB_OUTPUT"
}

# Prints the platform as Rust names it. The Linux binaries are static, and Windows on Arm runs those for x86-64.
target() {
  local machine
  case $(uname -m) in
    x86_64 | amd64) machine=x86_64 ;;
    arm64 | aarch64) machine=aarch64 ;;
    *) fail "overgrant has no binary for $(uname -m); install it yourself and set \`version: installed\`" >&2 ;;
  esac
  case $(uname -s) in
    Linux) echo "$machine-unknown-linux-musl" ;;
    Darwin) echo "$machine-apple-darwin" ;;
    MINGW* | MSYS* | CYGWIN*) echo x86_64-pc-windows-msvc ;;
    *) fail "overgrant has no binary for $(uname -s); install it yourself and set \`version: installed\`" >&2 ;;
  esac
}

# Reads standard input: a name with a backslash would change the output.
sha256() {
  if command -v sha256sum > /dev/null; then
    sha256sum
  else
    shasum -a 256
  fi < "$1" | cut -d ' ' -f 1
}

download() {
  curl --fail --silent --show-error --location --proto '=https' --retry 3 --output "$2" "$1" ||
    fail "cannot download $1"
}

install() {
  local version=${OVERGRANT_VERSION#v}
  if [[ $version == installed ]]; then
    command -v overgrant > /dev/null || fail '`version: installed`, but there is no overgrant on the path'
    return
  fi
  [[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.]+)?$ ]] || fail "\`$version\` is not a version such as 1.2.3"
  local name folder archive expected actual
  name=overgrant-$(target)
  folder=$reports/$version
  case $name in
    *windows*) archive=$name.zip ;;
    *) archive=$name.tar.gz ;;
  esac
  mkdir -p "$folder"
  download "$releases/v$version/$archive" "$folder/$archive"
  download "$releases/v$version/SHA256SUMS" "$folder/SHA256SUMS"
  expected=$(awk -v name="$archive" '$2 == name { print $1 }' "$folder/SHA256SUMS")
  actual=$(sha256 "$folder/$archive")
  [[ -n $expected && $actual == "$expected" ]] || fail "$archive has the checksum $actual, not $expected"
  case $archive in
    *.zip) unzip -q -o "$folder/$archive" -d "$folder" ;;
    *) tar -xzf "$folder/$archive" -C "$folder" ;;
  esac
  if command -v cygpath > /dev/null; then
    folder=$(cygpath -w "$folder")
  fi
  echo "$folder" >> "$GITHUB_PATH"
}

# Splits an input at blanks and line ends into `words`. No pattern is expanded and nothing is run.
split() {
  words=()
  IFS=$' \t\r\n' read -r -d '' -a words <<< "$1" || true
}

# What findings of a pull request are compared with; nothing where the checkout does not have it.
base() {
  local head
  if [[ -n $OVERGRANT_SINCE ]]; then
    echo "$OVERGRANT_SINCE"
    return
  fi
  [[ ${GITHUB_EVENT_NAME:-} == pull_request ]] || return 0
  head=$(git rev-parse --quiet --verify HEAD 2> /dev/null || true)
  if [[ $head == "${GITHUB_SHA:-}" ]] && git rev-parse --quiet --verify 'HEAD^2^{commit}' > /dev/null 2>&1; then
    # The merge commit of the pull request, not one of its branch: the first parent is the base.
    echo 'HEAD^1'
  elif git rev-parse --quiet --verify "origin/${GITHUB_BASE_REF:-}^{commit}" > /dev/null 2>&1; then
    echo "origin/$GITHUB_BASE_REF"
  fi
}

# Copies a report up to a limit, whole findings only.
cut_report() {
  local limit=$2 size
  size=$(wc -c < "$1")
  if ((size <= limit)); then
    cat "$1"
    return
  fi
  # A `<details>` that is cut is left out: everything after it would be folded into it.
  head -c "$limit" "$1" | awk '
    /^<details>/ { folded = 1 }
    { part = part $0 "\n" }
    !folded || $0 == "</details>" { printf "%s", part; part = "" }
  '
  printf '\nThe rest is too long to show here.\n'
}

check() {
  local code=0 since new_code
  local -a words options paths
  cd "$OVERGRANT_WORKING_DIRECTORY"
  split "$OVERGRANT_ARGS"
  options=(${words[@]+"${words[@]}"})
  split "$OVERGRANT_PATHS"
  paths=(${words[@]+"${words[@]}"})
  if [[ -n $OVERGRANT_FAIL_ON ]]; then
    options+=(--fail-on "$OVERGRANT_FAIL_ON")
  fi
  since=$(base)
  rm -f "$reports"/*.md "$reports/overgrant.sarif"

  overgrant check ${options[@]+"${options[@]}"} --output "sarif=$reports/overgrant.sarif" \
    --output "markdown=$reports/all.md" -- ${paths[@]+"${paths[@]}"} || code=$?
  ((code <= 1)) || exit "$code"
  output sarif "$reports/overgrant.sarif"

  if [[ -n $since ]]; then
    new_code=0
    overgrant check ${options[@]+"${options[@]}"} --since "$since" --quiet --quiet --output "markdown=$reports/new.md" \
      -- ${paths[@]+"${paths[@]}"} || new_code=$?
    if ((new_code > 1)); then
      rm -f "$reports/new.md"
      [[ -z $OVERGRANT_SINCE ]] || exit "$new_code"
    elif [[ -n $OVERGRANT_SINCE ]]; then
      code=$new_code
    fi
  elif [[ ${GITHUB_EVENT_NAME:-} == pull_request ]]; then
    echo '::notice::To compare pull requests with their base, set `fetch-depth: 2` for actions/checkout, or 0 together with `ref`.'
  fi

  if [[ -n ${GITHUB_STEP_SUMMARY:-} ]]; then
    {
      if [[ -f $reports/new.md ]]; then
        echo '## New findings'
        cut_report "$reports/new.md" "$comment_limit"
        printf '\n## All findings\n'
      fi
      cut_report "$reports/all.md" "$summary_limit"
    } >> "$GITHUB_STEP_SUMMARY"
  fi
  output exit-code "$code"
}

# Writes what is new into one comment of the pull request. Without findings, only an existing comment is changed.
comment() {
  local number id
  number=${GITHUB_REF#refs/pull/}
  number=${number%%/*}
  [[ ${GITHUB_EVENT_NAME:-} == pull_request && -f $reports/new.md && $number =~ ^[0-9]+$ ]] || return 0
  local comments=repos/$GITHUB_REPOSITORY/issues/$number/comments
  local mine=".[] | select(.user.type == \"Bot\" and (.body | startswith(\"$marker\"))) | .id"
  if ! id=$(gh api --paginate "$comments" --jq "$mine"); then
    echo '::notice::The comments of the pull request cannot be read: the job needs `pull-requests: write`.'
    return 0
  fi
  id=${id%%$'\n'*}
  {
    echo "$marker"
    cut_report "$reports/new.md" "$comment_limit"
    printf '\n[All findings](%s/%s/actions/runs/%s)\n' "$GITHUB_SERVER_URL" "$GITHUB_REPOSITORY" "$GITHUB_RUN_ID"
  } > "$reports/comment.txt"
  if [[ -n $id ]]; then
    set -- --method PATCH "repos/$GITHUB_REPOSITORY/issues/comments/$id"
  elif grep -q '^| severity |' "$reports/new.md"; then
    set -- --method POST "$comments"
  else
    return 0
  fi
  gh api "$@" --silent --field "body=@$reports/comment.txt" ||
    echo '::notice::No comment was written: the token of a fork is read-only, or the job lacks `pull-requests: write`.'
}

finish() {
  exit "${OVERGRANT_EXIT_CODE:-2}"
}

case ${1:-} in
  install | check | comment | finish) "$1" ;;
  *) fail 'usage: run.sh install|check|comment|finish' ;;
esac
