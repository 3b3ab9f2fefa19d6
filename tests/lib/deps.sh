#!/bin/sh
# deps.sh [build] [run] [check] [check-all] [fuzz] [valgrind] - install the Debian packages that are missing.
#
# Without an argument: build and check.  Says nothing when all are there;
# needs root only when one is not.
set -u

build='libargon2-dev libunistring-dev gcc make pkg-config libc6-dev
libssl-dev libdb5.3-dev libcrypt-dev
libcurl4-openssl-dev libevent-dev libunbound-dev libinih-dev libjansson-dev libcmocka-dev
libidn2-dev libqrcodegen-dev libseccomp-dev uthash-dev
ca-certificates dns-root-data'

check='apache2-utils dovecot-core sasl2-bin db5.3-util gsasl libsasl2-modules
python3 openssl gnupg systemd zsh fish mandoc postfix swaks libnet-ssleay-perl
libio-socket-ssl-perl libauthen-sasl-perl msmtp curl nsd knot e2fsprogs
python3-dkim python3-nacl python3-dnspython python3-cryptography python3-prometheus-client opendkim-tools haproxy nodejs node-nodemailer s-nail python3-qrcodegen'

# Mail programs with more behind them.
check_all='chasquid mutt neomutt git-email thunderbird'

run='python3 curl openssl'

valgrind='valgrind'

fuzz='clang libclang-rt-14-dev'

installed() {
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

[ $# -gt 0 ] || set -- build check
wanted=
for set in "$@"; do
	case $set in
	build) wanted="$wanted $build" ;;
	run) wanted="$wanted $run" ;;
	check) wanted="$wanted $check" ;;
	check-all) wanted="$wanted $check $check_all" ;;
	valgrind) wanted="$wanted $valgrind" ;;
	fuzz) wanted="$wanted $fuzz" ;;
	*)
		echo "usage: deps.sh [build] [run] [check] [check-all] [fuzz] [valgrind]" >&2
		exit 2
		;;
	esac
done

# Exim's package would put Postfix out: the program alone, unpacked.
exim=/usr/local/lib/postern-tests/exim4
fetch_exim() {
	tmp=$(mktemp -d) || return 1
	(cd "$tmp" && chmod 755 . && { apt-get download exim4-daemon-light ||
	    { apt-get update && apt-get download exim4-daemon-light; }; } &&
	    dpkg -x exim4-daemon-light_*.deb . &&
	    install -D usr/sbin/exim4 $exim) >"$tmp/log" 2>&1 </dev/null || {
		cat "$tmp/log" >&2
		echo "deps.sh: could not unpack Exim" >&2
	}
	rm -rf "$tmp"
}
case " $* " in
*' check-all '*)
	[ -x $exim ] || [ "$(id -u)" != 0 ] || fetch_exim
	;;
esac

missing=
for package in $wanted; do
	installed "$package" || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" != 0 ]; then
	echo "Missing Debian packages.  As root:" >&2
	echo "    apt-get update && apt-get install --no-install-recommends$missing" >&2
	exit 1
fi

echo "installing$missing" >&2
export DEBIAN_FRONTEND=noninteractive

# Packages that bring a daemon must not start it: the tests start their own.
policy=/usr/sbin/policy-rc.d
ours=
if [ ! -e $policy ]; then
	printf '#!/bin/sh\nexit 101\n' >$policy
	chmod 755 $policy
	ours=1
fi
log=$(mktemp)
cleanup() {
	[ -z "$ours" ] || rm -f $policy
	rm -f "$log"
}
trap cleanup EXIT
trap 'exit 1' HUP INT TERM

# A Postfix without a configuration: nobody's mail system is touched, and
# package installation asks nothing.
case " $missing " in
*' postfix '*)
	echo 'postfix postfix/main_mailer_type select No configuration' |
	    debconf-set-selections
	;;
esac

if ! { apt-get update &&
    apt-get install -y --no-install-recommends $missing; } \
    >"$log" 2>&1 </dev/null; then
	cat "$log" >&2
	echo "deps.sh: could not install$missing" >&2
	exit 1
fi
for package in $missing; do
	if ! installed "$package"; then
		echo "deps.sh: $package is still missing" >&2
		exit 1
	fi
done
