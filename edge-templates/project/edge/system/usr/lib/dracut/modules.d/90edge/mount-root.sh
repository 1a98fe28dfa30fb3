#!/bin/sh
# shellcheck disable=SC2154,SC1091
# Mounts the system's squashfs as the root, and over it what may be written.
[ -e /tmp/edge.root ] || return
ismounted "$NEWROOT" && return
. /usr/lib/edge/uki.sh
. /tmp/edge.root
if [ "$edge_system" = uki ]; then
  uki_mount "$NEWROOT"
  return
fi
mkdir -p /run/edge/system
mount -o ro "/dev/disk/by-label/$edge_label" /run/edge/system || die "edge: $edge_label cannot be mounted"
image=/run/edge/system/$edge_system/rootfs.squashfs
[ -e "$image" ] || die "edge: there is no $edge_system system on $edge_label"
mount -t squashfs -o ro,loop "$image" "$NEWROOT" || die "edge: $image cannot be mounted"
/usr/lib/edge/mount-layout "$NEWROOT" || die "edge: what may be written cannot be mounted"
