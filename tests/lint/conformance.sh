#!/bin/sh
# conformance.sh - each test that the documents name is there, each dialog about
# an attack is named, and each RFC that has a folder of dialogs.
#
# `system/relay: some words` is a case in tests/system/relay.py whose title has
# these words.
set -u
cd "$(dirname "$0")/../.." || exit 1

number=0
status=0

# say WHAT MISSING...
say() {
	number=$((number + 1))
	what=$1
	shift
	if [ $# -eq 0 ]; then
		echo "ok $number - $what"
	else
		echo "not ok $number - $what"
		printf '# not so: %s\n' "$@"
		status=1
	fi
}

# The names in a document, one a line.
named() {
	grep -o '`\(dialog\|unit\|fuzz\|system\|crash\|bench\|lint\)/[^`]*`' "$1" |
	    tr -d '`' | sort -u
}

for doc in docs/CONFORMANCE.md docs/ATTACKS.md docs/SECURITY.md; do
	[ -e $doc ] || continue
	set --
	while IFS= read -r name; do
		words=${name#*: }
		[ "$words" = "$name" ] && words=
		found=
		# A name may stand for several.
		file=${name%%: *}
		for file in tests/$file tests/$file.dlg tests/$file.c \
		    tests/$file.py tests/$file.sh; do
			[ -e "$file" ] || continue
			[ -z "$words" ] || tr -s " \n" " " < "$file" |
			    sed 's/" "//g' | grep -qF -e "$words" || continue
			found=$file
		done
		[ -n "$found" ] || set -- "$@" "$name"
	done <<-EOT
	$(named $doc)
	EOT
	say "every test that $doc names is there" "$@"
done

set --
for file in tests/dialog/attacks/*.dlg; do
	base=${file##*/}
	found=
	for name in $(named docs/ATTACKS.md | sed -n 's|^dialog/attacks/||p'); do
		case ${base%.dlg} in
		$name) found=yes ;;
		esac
	done
	[ -n "$found" ] || set -- "$@" "$base"
done
say "every dialog about an attack is in docs/ATTACKS.md" "$@"

for folder in tests/dialog/rfc*; do
	rfc=${folder#tests/dialog/}
	set -- "$rfc"
	grep -q "\`dialog/$rfc/" docs/CONFORMANCE.md && set --
	say "docs/CONFORMANCE.md names the dialogs of $rfc" "$@"
done
echo "1..$number"
exit $status
