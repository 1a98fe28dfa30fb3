#!/bin/sh
# A unified kernel image carries the system in its initramfs. It is the same file on the ISO and on a disk: what it does
# follows from where the firmware found it.

# The partition that the firmware started from, as the boot menu tells it; none when that is a CD.
uki_partition() {
  variable=/sys/firmware/efi/efivars/LoaderDevicePartUUID-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f
  [ -e "$variable" ] || mount -t efivarfs -o ro efivarfs /sys/firmware/efi/efivars 2>/dev/null
  # Four bytes of attributes, and a text of two bytes a character. The file cannot be read from its middle.
  [ ! -e "$variable" ] || tr -dc '[:xdigit:]-' <"$variable" | tr '[:upper:]' '[:lower:]'
}

# Whether that is the partition which an installation made.
uki_is_installed() {
  part=$(uki_partition)
  [ -n "$part" ] && udevadm info --query=property --name="/dev/disk/by-partuuid/$part" | grep -q '^ID_PART_ENTRY_NAME=edge-esp$'
}

uki_wait_for() {
  tries=0
  until [ -e "$1" ]; do
    tries=$((tries + 1))
    [ $tries -lt 60 ] || die "edge: there is no $1"
    sleep 0.5
  done
}

uki_mount() {
  if uki_is_installed; then
    mount -t squashfs -o ro,loop /rootfs.squashfs "$1" || die "edge: the system cannot be mounted"
    uki_wait_for /dev/disk/by-label/COS_OEM
    uki_wait_for /dev/disk/by-label/COS_PERSISTENT
    /usr/lib/edge/mount-layout "$1" || die "edge: what may be written cannot be mounted"
    return
  fi
  # The installer's system lives in memory, and its medium has what is one host's.
  uki_wait_for /dev/disk/by-label/COS_LIVE
  mkdir -p /run/initramfs/live /run/edge/lower /run/edge/memory
  echo auto >/run/edge/installer
  mount -t iso9660 -o ro /dev/disk/by-label/COS_LIVE /run/initramfs/live || die "edge: the medium cannot be mounted"
  mount -t squashfs -o ro,loop /rootfs.squashfs /run/edge/lower || die "edge: the system cannot be mounted"
  mount -t tmpfs -o mode=0755 edge /run/edge/memory
  mkdir /run/edge/memory/upper /run/edge/memory/work
  mount -t overlay -o lowerdir=/run/edge/lower,upperdir=/run/edge/memory/upper,workdir=/run/edge/memory/work overlay "$1" ||
    die "edge: nothing can be written over the system"
}
