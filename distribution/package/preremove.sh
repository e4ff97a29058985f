#!/bin/sh
# Before the files of the package are removed. $1: `remove` by dpkg, 0 by rpm; at an upgrade nothing is done.
set -eu

case "$1" in
  remove | 0) ;;
  *) exit 0 ;;
esac

if [ -d /run/systemd/system ]; then
  # Gives the machine back; configuration, state and user wait for a purge.
  timeout --kill-after=5 30 /usr/bin/outrigger uninstall >/dev/null || {
    echo 'outrigger: the program could not undo its installation: this goes on without it' >&2
    /usr/lib/outrigger/release || :
  }
  # What the program could not stop, and what was started without `outrigger install`.
  systemctl --quiet stop outrigger-capture.timer outrigger-capture.path outrigger-retry.timer \
    outrigger.service outrigger.socket outrigger-ipv6.socket || :
fi
systemctl --quiet disable outrigger-leftovers.service outrigger.socket outrigger-ipv6.socket \
  outrigger.service || :
