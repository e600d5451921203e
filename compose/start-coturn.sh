#!/bin/sh
# coturn with turnserver.conf and what differs from host to host. The secret goes into a file of this container's own: an argument would stand
# in everybody's list of processes, and coturn reads no environment.
set -eu
umask 077
folder=${TURN_FOLDER:-/tmp}
given=$folder/turnserver.conf
{
  cat "${TURN_CONFIGURATION:-/etc/coturn/turnserver.conf}"
  printf '\nrealm=%s\nstatic-auth-secret=%s\nexternal-ip=%s\n' "$TURN_REALM" "$TURN_SECRET" "$TURN_NODE_IP"
  printf 'pidfile=%s/turn.pid\nuserdb=%s/turn.db\n' "$folder" "$folder"
  # The one address behind the relay that media may go to; the file denies all private ranges.
  printf 'allowed-peer-ip=%s\n' "$TURN_NODE_IP"
} > "$given"
unset TURN_SECRET
exec turnserver -c "$given" "$@"
