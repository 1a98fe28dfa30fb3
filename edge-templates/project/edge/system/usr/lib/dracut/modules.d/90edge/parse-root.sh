#!/bin/sh
# shellcheck disable=SC2034,SC2154
# Takes root=edge:SYSTEM, and has dracut wait for the partition that holds it.
case "$root" in
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
