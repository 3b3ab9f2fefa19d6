#!/bin/sh
# includes.sh - which folder may include which, and where each library lives.
# The rule is in docs/ARCHITECTURE.md; every breach is told as file:line.
set -u
cd "$(dirname "$0")/../.." || exit 1

number=0
status=0

# verdict NAME BREACHES
verdict() {
	number=$((number + 1))
	if [ -z "$2" ]; then
		echo "ok $number - $1"
	else
		echo "not ok $number - $1"
		printf '%s\n' "$2" | sed 's/^/# /'
		status=1
	fi
}

# may FOLDER OTHER... : quoted includes of FOLDER begin with one of these.
may() {
	folder=$1
	[ -d "$folder" ] || return
	allowed=$(printf '%s|' "$@")
	breaches=$(grep -nE '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' \
	    /dev/null "$folder"/*.[ch] |
	    grep -vE "include[[:space:]]*\"(${allowed%|})/")
	shift
	verdict "$folder/ includes ${*:-nothing else}" "$breaches"
}

# home HEADER WHERE : <HEADER...> stands in files that match WHERE only.
home() {
	breaches=$(grep -nE \
	    "^[[:space:]]*#[[:space:]]*include[[:space:]]*<($1)" \
	    /dev/null lib/*.[ch] mail/*.[ch] ipc/*.[ch] ctl/*.[ch] \
	    parent/*.[ch] smtpd/*.[ch] auth/*.[ch] queue/*.[ch] \
	    deliver/*.[ch] sts/*.[ch] 2>/dev/null | grep -vE "^($2)")
	verdict "<$1> stands in $2" "$breaches"
}

may lib
may mail lib
may ipc lib
for process in ctl parent smtpd auth queue deliver sts; do
	may $process ipc mail lib
done

home 'event2/|event\.h' 'lib/|deliver/dns\.c'
home 'openssl/' 'lib/(tls|io|wire|sha256)|auth/|smtpd/(keyless|certificate|facts)|deliver/|sts/|ctl/'
home 'db\.h' '(queue|auth)/(store|t_)'
home 'crypt\.h' 'auth/password\.c'
home 'argon2\.h' 'auth/scheme\.c'
home 'uni(norm|str)\.h' 'auth/spelling\.c'
home 'unbound' 'deliver/dns\.c'
home 'ini\.h' 'lib/conf'
home 'idn2\.h' 'mail/domain\.c'
home 'seccomp\.h' 'lib/seccomp\.c'
home 'curl/' 'sts/'
home 'jansson\.h' 'ctl/'
home 'qrcodegen/' 'ctl/qr\.c'

# mail/ is pure: no I/O, no clock, no process.
breaches=$(grep -nE '^[[:space:]]*#[[:space:]]*include[[:space:]]*<(fcntl|unistd|sys/(socket|stat|wait|mman)|poll|signal|pthread|netdb)\.h' \
    /dev/null mail/*.[ch])
verdict "mail/ does no I/O" "$breaches"

echo "1..$number"
exit $status
