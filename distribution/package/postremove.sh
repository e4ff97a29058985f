#!/bin/sh
# After the files of the package are removed. $1: `remove`, and `purge` then or later, by dpkg; 0 by rpm.
set -eu

action=$1
case "$action" in
  remove | purge | 0) ;;
  *) exit 0 ;;
esac
# By name: others' may begin like ours, as the control plane's.
set -- outrigger-capture.timer outrigger-capture.path outrigger-capture.service outrigger-recapture.service \
  outrigger-release.service outrigger-retry.timer outrigger-retry.service outrigger-leftovers.service \
  outrigger.service outrigger.socket outrigger-ipv6.socket

# Installed without the package since: all of this is that one's now.
if grep -qs /usr/local/bin/outrigger /etc/systemd/system/outrigger.service; then exit 0; fi

# What the program removes itself, unless it was broken.
rm -f /etc/systemd/system/outrigger.service.d/254-restart.conf \
  /etc/systemd/system/outrigger.socket.d/port-53.conf \
  /etc/systemd/system/outrigger.socket.d/containers.conf
rmdir /etc/systemd/system/outrigger.service.d /etc/systemd/system/outrigger.socket.d 2>/dev/null || :
rm -rf /run/outrigger
if [ -d /run/systemd/system ]; then
  # A program that hangs makes the sockets fail when they are stopped, which starts others.
  systemctl --quiet stop "$@" || :
  systemctl daemon-reload
  systemctl reset-failed "$@" 2>/dev/null || :
fi

if [ "$action" = purge ]; then
  rm -rf /etc/outrigger /var/lib/outrigger /var/lib/outrigger-capture /var/lib/outrigger-install \
    /var/lib/outrigger-upgrade
  ! getent passwd outrigger >/dev/null || userdel outrigger || :
else
  rmdir /etc/outrigger 2>/dev/null || : # empty where nothing was configured
fi
