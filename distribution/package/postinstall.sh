#!/bin/sh
# After the files of the package are in place. $1: `configure` by dpkg, 1 or 2 by rpm.
set -eu

case "$1" in
  configure | 1 | 2) ;;
  *) exit 0 ;;
esac
systemd-sysusers outrigger.conf
systemd-tmpfiles --create outrigger.conf || :

sockets=unchanged
if [ -e /run/outrigger-sockets.sha256 ]; then
  cat /usr/lib/systemd/system/outrigger*.socket |
    sha256sum --check --status /run/outrigger-sockets.sha256 || sockets=changed
  rm -f /run/outrigger-sockets.sha256
fi

if [ -d /run/systemd/system ]; then
  systemctl daemon-reload
  if systemctl --quiet is-active outrigger.service outrigger.socket outrigger-retry.timer; then
    # The limit of starts is for crashes (systemd 257 counts on over a daemon-reload).
    systemctl reset-failed outrigger.service || :
    # Queries wait in the sockets, which systemd holds, until the new version answers.
    systemctl try-restart outrigger.service ||
      echo 'outrigger: it does not start: see journalctl -u outrigger' >&2
    # A version that was given up may have been this one's predecessor.
    ! systemctl --quiet is-active outrigger-retry.timer ||
      systemctl --no-block start outrigger-retry.service
    if [ "$sockets" = changed ]; then
      cat <<'END'
outrigger: this version has other sockets; those of before stay open until the machine is booted, or:
  systemctl stop outrigger.socket outrigger-ipv6.socket outrigger.service &&
    systemctl start outrigger.socket outrigger-ipv6.socket outrigger.service
What is asked for that moment is lost.
END
    fi
    # Drop-ins and links are in /etc, which is not the package's.
    if [ -e /var/lib/outrigger-install/journal.json ] &&
      /usr/bin/outrigger install --dry-run 2>/dev/null |
      grep -q '^ *[0-9]*\. \(write /etc/systemd/\|run systemctl enable\)'; then
      cat <<'END'
outrigger: this version has other files in /etc/systemd, which `outrigger install` puts there. What is
asked for that moment is lost.
END
    fi
    exit 0
  fi
fi
if ! systemctl --quiet is-enabled outrigger.service 2>/dev/null; then
  cat <<'END'
outrigger is on this machine, and nothing uses it yet. What using it would change, and doing so:
  outrigger install --config FILE --dry-run
  outrigger install --config FILE
Or with --from DIR in an Istio mesh, or with nothing where /etc/outrigger has a configuration already.
END
fi
