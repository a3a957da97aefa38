#!/usr/bin/env bash
# Installs the packages of a folder in an empty project and runs them: packaging/npm/try.sh TARBALLS
set -euo pipefail
tarballs=$(cd "$1" && pwd)
project=$(mktemp -d)
trap 'rm -rf "$project"' EXIT
cd "$project"
platform=$(node -p 'process.platform + "-" + process.arch')
echo '{"private": true}' >package.json
# The other platforms' packages are on no registry yet: npm leaves out what is optional.
npm install --silent --no-audit --no-fund "$tarballs"/overgrant-"$platform"-*.tgz "$tarballs"/overgrant-[0-9]*.tgz
npx --no-install overgrant --version
echo '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}' >policy.json
code=0
npx --no-install overgrant check --format compact policy.json || code=$?
[ "$code" = 1 ]
