#!/bin/sh
# Valkey with a password that is no argument, where everybody's list of processes would show it. Nothing here must survive, so nothing goes to disk.
set -eu
umask 077
given=${VALKEY_FOLDER:-/tmp}/valkey.conf
printf 'save ""\nappendonly no\nrequirepass %s\nmaxmemory 192mb\nmaxmemory-policy noeviction\n' "$VALKEY_PASSWORD" > "$given"
unset VALKEY_PASSWORD
exec "${VALKEY_PROGRAM:-valkey-server}" "$given" "$@"
