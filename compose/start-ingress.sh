#!/bin/sh
# The ingress's configuration with what it reads from no environment, Valkey's password and this host's address; then the image's program.
set -eu
umask 077
given=${INGRESS_FOLDER:-/tmp}/ingress.yaml
sed -e "s/^  address: redis:6379\$/&\\n  password: $REDIS_PASSWORD/" -e "s/^rtc_config:\$/&\\n  node_ip: $NODE_IP/" \
    "${INGRESS_TEMPLATE:-/etc/ingress.yaml}" > "$given"
unset REDIS_PASSWORD
export INGRESS_CONFIG_FILE="$given"
exec "${INGRESS_PROGRAM:-ingress}" "$@"
