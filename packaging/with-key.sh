#!/usr/bin/env bash
# Runs a command whose Git uses the SSH key of the variable DEPLOY_KEY: packaging/with-key.sh COMMAND [ARGUMENT]...
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
(umask 077 && printf '%s\n' "$DEPLOY_KEY" >"$folder/key")
unset DEPLOY_KEY
# GitHub's host key, as its documentation gives it.
echo "github.com ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl" >"$folder/hosts"
export GIT_SSH_COMMAND="ssh -i $folder/key -o IdentitiesOnly=yes -o UserKnownHostsFile=$folder/hosts"
"$@"
