# shellcheck shell=bash disable=SC2034
# The Debian packages that Trinity needs: the one list. Sourced by tests/run, packaging/quickstart
# and packaging/build-deb.

# To build the daemons, and to make a certificate for the first try.
PACKAGES_BUILD=(
	gcc g++ libc6-dev binutils cmake ninja-build pkg-config ca-certificates curl openssl
	libmicrohttpd-dev libgnutls28-dev libjansson-dev libsodium-dev libdb5.3-dev libpq-dev
	libcurl4-gnutls-dev libc-ares-dev libcyaml-dev libyaml-dev libunistring-dev libseccomp-dev
	libsqlite3-dev libidn2-dev libphonenumber-dev libldap-dev
)
# For the mails of packaging/quickstart.
PACKAGES_TRY=(python3-aiosmtpd)
# To make a Debian package.
PACKAGES_DEB=(dpkg-dev fakeroot file init-system-helpers)
# To run the tests.
PACKAGES_TEST=(
	ccache clang clang-format llvm libclang-rt-dev libcmocka-dev python3 python3-venv
	postgresql wrk chromium mandoc lintian shellcheck faketime procps systemd slapd ldap-utils
)
# Others' packages of Node bring npm along, and do not bear Debian's.
command -v npm >/dev/null || PACKAGES_TEST+=(nodejs npm)

# The ones of "$@" that are not installed, one a line.
packages_missing() {
	local package
	for package in "$@"; do
		dpkg-query -W -f='${Status}\n' "$package" 2>/dev/null | grep -q '^install ok' ||
			echo "$package"
	done
}

# Uses the caller's as_root and missing.
packages_apt() {
	"${as_root[@]}" install --no-install-recommends "${missing[@]}" </dev/null
}

# Installs what of "$@" is missing; quiet when nothing is. 1 with advice where apt is not possible.
packages_install() {
	local missing as_root=() log
	command -v dpkg-query >/dev/null || {
		echo "This is not a Debian system; install what packaging/dependencies.sh lists." >&2
		return 1
	}
	mapfile -t missing < <(packages_missing "$@")
	[ ${#missing[@]} -gt 0 ] || return 0
	if [ "$(id -u)" != 0 ]; then
		if ! command -v sudo >/dev/null || ! sudo -n true 2>/dev/null && ! [ -t 0 ]; then
			echo "Packages are missing and apt-get needs root. Run as root:" >&2
			echo "  apt-get install ${missing[*]}" >&2
			return 1
		fi
		as_root=(sudo)
	fi
	echo "Installing ${#missing[@]} Debian packages: ${missing[*]}"
	as_root+=(env DEBIAN_FRONTEND=noninteractive apt-get -q -q -y -o Dpkg::Use-Pty=0)
	log=$(mktemp)
	# Old package lists name versions that are gone: refresh them when the first try fails.
	if ! packages_apt >"$log" 2>&1; then
		"${as_root[@]}" update </dev/null >"$log" 2>&1 || true
		if ! packages_apt >"$log" 2>&1; then
			echo "apt-get could not install them:" >&2
			tail -n 3 "$log" >&2
			rm -f "$log"
			return 1
		fi
	fi
	rm -f "$log"
}
