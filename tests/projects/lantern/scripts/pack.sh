#!/bin/sh
# pack DIRECTORY FILE [--without-bios]: one file of a directory, the same whenever it is made.
set -e
if [ "$1" = --version ]; then
  echo "pack 1"
  exit
fi
directory=$1 file=$2
tar -cf "$file.tar" -C "$directory" $(cd "$directory" && find . -type f | sort)
{
  echo "packed ${3:-with bios}"
  cat "$file.tar"
} >"$file"
rm "$file.tar"
