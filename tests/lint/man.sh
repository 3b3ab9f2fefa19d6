#!/bin/sh
# man.sh - the manual pages are without warnings.
set -u
cd "$(dirname "$0")/../.." || exit 1

number=0
status=0
for page in man/*.[1-9]; do
	[ -e "$page" ] || continue
	number=$((number + 1))
	said=$(mandoc -Tlint -Wwarning "$page" 2>&1)
	if [ -z "$said" ]; then
		echo "ok $number - mandoc -Tlint $page"
	else
		echo "not ok $number - mandoc -Tlint $page"
		printf '%s\n' "$said" | sed 's/^/# /'
		status=1
	fi
done
if [ $number -eq 0 ]; then
	echo "not ok 1 - there are manual pages"
	number=1
	status=1
fi
echo "1..$number"
exit $status
