#!/usr/bin/env bash
# Publishes files as the contents of another repository: packaging/publish-folder.sh FOLDER REMOTE VERSION
# Commits them on the default branch and tags them vVERSION. A second run with the same files changes nothing.
set -euo pipefail
folder=$(cd "$1" && pwd) remote=$2 version=$3
clone=$(mktemp -d)
trap 'rm -rf "$clone"' EXIT
git clone --quiet "$remote" "$clone"
cd "$clone"
git rm -rq --ignore-unmatch .
cp -R "$folder/." .
git add -A
export GIT_AUTHOR_NAME=overgrant GIT_AUTHOR_EMAIL=release@users.noreply.github.com
export GIT_COMMITTER_NAME=$GIT_AUTHOR_NAME GIT_COMMITTER_EMAIL=$GIT_AUTHOR_EMAIL
git diff --cached --quiet || git commit --quiet -m "overgrant $version"
git rev-parse --quiet --verify "refs/tags/v$version" >/dev/null || git tag "v$version"
git push --quiet --atomic origin HEAD "refs/tags/v$version"
