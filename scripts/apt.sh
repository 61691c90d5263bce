# Sourced by setup.sh and ./check: Debian packages, where this machine lets us install them.

# Why not, in words; empty when this is root on Debian or one of its children.
apt_refusal() {
    if ! command -v apt-get >/dev/null 2>&1; then
        echo "this is not Debian"
    elif [ "$(id -u)" != 0 ]; then
        echo "only root may install it"
    fi
}

# Installs packages and prints nothing; false when that did not work.
# The package lists are fetched only when they turn out to be missing or stale.
apt_install() { # LOG PACKAGE...
    apt_log=$1
    shift
    apt_quietly install "$@" || { apt_quietly update && apt_quietly install "$@"; }
}

apt_quietly() { # COMMAND PACKAGE...
    apt_command=$1
    shift
    [ "$apt_command" = update ] || set -- --yes --no-install-recommends "$@"
    DEBIAN_FRONTEND=noninteractive apt-get --quiet -o DPkg::Lock::Timeout=300 "$apt_command" "$@" \
        </dev/null >>"$apt_log" 2>&1
}
