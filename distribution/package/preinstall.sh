#!/bin/sh
# Before the files of the package are put in place. $1: `install` or `upgrade` by dpkg, 1 or 2 by rpm.
set -eu

case "$1" in
  install | 1)
    # Its units in /etc would hide the package's, and start its program.
    if grep -qs /usr/local/bin/outrigger /etc/systemd/system/outrigger.service; then
      cat >&2 <<'END'
outrigger: this machine has outrigger by `outrigger install`, whose units would hide the package's. To go
over to the package, which takes its names from the same configuration and need not join again:
  cp -a /etc/outrigger /etc/outrigger.kept && /usr/local/bin/outrigger uninstall
then install the package again, and:
  cp -a /etc/outrigger.kept/. /etc/outrigger/ && outrigger install
END
      exit 1
    fi
    ;;
  upgrade | 2)
    # systemd goes on with the sockets that it has opened: where the new ones differ, it is said at the end.
    cat /usr/lib/systemd/system/outrigger*.socket | sha256sum >/run/outrigger-sockets.sha256
    ;;
esac
