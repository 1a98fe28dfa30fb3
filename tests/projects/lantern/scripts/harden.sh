#!/bin/sh
# harden DIRECTORY: nobody but root writes what is in it.
set -e
find "$1" -name '*.conf' ! -name resolv.conf -exec chmod go-w {} +
echo "umask 077" >>"$1/profile"
