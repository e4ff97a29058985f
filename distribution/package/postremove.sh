#!/bin/sh
# After the files of the package are removed. $1: `remove`, and `purge` then or later, by dpkg; 0 by rpm.
set -eu

case "$1" in
  remove | purge | 0) ;;
  *) exit 0 ;;
esac

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
  systemctl --quiet stop 'outrigger*' || :
  systemctl daemon-reload
  systemctl reset-failed 'outrigger*' 2>/dev/null || :
fi

if [ "$1" = purge ]; then
  rm -rf /etc/outrigger /var/lib/outrigger /var/lib/outrigger-*
  ! getent passwd outrigger >/dev/null || userdel outrigger || :
else
  rmdir /etc/outrigger 2>/dev/null || : # empty where nothing was configured
fi
