#!/bin/sh
# Run by the machine that unpacks a bare metal image, when the disk is written.
mount_state() {
  mount "$(disk_of state)" "$1"
}
disk_of() {
  ls -l "/dev/disk/by-label/$1" | sed 's/.*-> //'
}
case "$1" in
  after-write) mount_state /mnt ;;
  *) ;;
esac
