#!/bin/sh
# mutate.sh - what `make mutate` takes away is still there.
set -u
cd "$(dirname "$0")/../.." || exit 1

if said=$(tests/mutate.py --look 2>&1); then
	echo "ok 1 - each line of tests/mutate.py is in the code, once"
	echo "1..1"
	exit 0
fi
echo "not ok 1 - each line of tests/mutate.py is in the code, once"
printf '%s\n' "$said" | sed 's/^/# /'
echo "1..1"
exit 1
