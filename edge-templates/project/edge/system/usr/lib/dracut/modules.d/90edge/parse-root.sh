#!/bin/sh
# shellcheck disable=SC2034,SC2154,SC1091
# Takes root=edge:SYSTEM, and has dracut wait for what holds it. What the boot menu says of installing is kept for later.
. /usr/lib/edge/uki.sh
edge_install=$(getarg edge.install=)
if [ -n "$edge_install" ]; then
  mkdir -p /run/edge
  echo "$edge_install" >/run/edge/installer
fi
case "$root" in
  edge:uki)
    rootok=1
    if [ -n "$(uki_partition)" ]; then wait_for_dev "/dev/disk/by-partuuid/$(uki_partition)"; else wait_for_dev /dev/disk/by-label/COS_LIVE; fi
    echo "edge_system=uki" >/tmp/edge.root
    return
    ;;
  edge:recovery) edge_label=COS_RECOVERY ;;
  edge:*) edge_label=COS_STATE ;;
  *) return ;;
esac
edge_system=${root#edge:}
rootok=1
wait_for_dev "/dev/disk/by-label/$edge_label"
wait_for_dev /dev/disk/by-label/COS_PERSISTENT
wait_for_dev /dev/disk/by-label/COS_OEM
echo "edge_label=$edge_label edge_system=$edge_system" >/tmp/edge.root
