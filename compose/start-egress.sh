#!/bin/sh
# The recorder's configuration with the password that LiveKit's egress reads from no environment; then the image's own start.
set -eu
umask 077
given=${EGRESS_FOLDER:-/tmp}/egress.yaml
sed "s/^  address: redis:6379\$/&\\n  password: $REDIS_PASSWORD/" "${EGRESS_TEMPLATE:-/etc/egress.yaml}" > "$given"
unset REDIS_PASSWORD
export EGRESS_CONFIG_FILE="$given"
exec "${EGRESS_PROGRAM:-/entrypoint.sh}" "$@"
