#!/bin/bash
# shellcheck disable=SC2154
# The part of the initramfs that finds the installed system: root=edge:active, root=edge:passive, root=edge:recovery.
check() { return 0; }
depends() { echo base; }
installkernel() { hostonly='' instmods squashfs loop overlay ext4 vfat iso9660 efivarfs; }
install() {
  inst_multiple mount umount mkdir cp readlink losetup tr grep sleep udevadm
  inst_simple /usr/lib/edge/mount-layout
  inst_simple "$moddir/uki.sh" /usr/lib/edge/uki.sh
  inst_hook cmdline 30 "$moddir/parse-root.sh"
  inst_hook mount 50 "$moddir/mount-root.sh"
}
