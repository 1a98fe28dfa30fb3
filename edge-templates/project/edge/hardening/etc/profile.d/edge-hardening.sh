umask 027
# A shell that nobody types into ends after a quarter of an hour.
[ -n "$TMOUT" ] || readonly TMOUT=900
export TMOUT
