#!/bin/sh
# conformance.sh - each test that docs/CONFORMANCE.md names is there, and each
# RFC that has a folder of dialogs is named.
set -u
cd "$(dirname "$0")/../.." || exit 1

doc=docs/CONFORMANCE.md
missing=
for name in $(grep -o '`\(dialog\|unit\|fuzz\|system\|crash\)/[^`]*`' $doc |
    tr -d '`' | sort -u); do
	found=
	# A name may stand for several.
	for file in tests/$name tests/$name.dlg tests/$name.c tests/$name.py; do
		[ -e "$file" ] && found=$file
	done
	[ -n "$found" ] || missing="$missing $name"
done
number=1
status=0
if [ -z "$missing" ]; then
	echo "ok 1 - every test that $doc names is there"
else
	echo "not ok 1 - every test that $doc names is there"
	printf '# no such test: %s\n' $missing
	status=1
fi
for folder in tests/dialog/rfc*; do
	number=$((number + 1))
	rfc=${folder#tests/dialog/}
	if grep -q "\`dialog/$rfc/" $doc; then
		echo "ok $number - $doc names the dialogs of $rfc"
	else
		echo "not ok $number - $doc names the dialogs of $rfc"
		status=1
	fi
done
echo "1..$number"
exit $status
