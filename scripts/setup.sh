#!/bin/sh
# Makes .venv what a lock file says: `sh scripts/setup.sh requirements.lock` (or requirements-dev.lock).
# Says one line when it starts, one when it ends or fails; all the rest goes to .venv/setup.log.
set -eu

lock=$1
root=$(CDPATH='' cd "${0%/*}/.." && pwd -P)
venv=$root/.venv
log=$venv/setup.log
unfinished=$venv/setup-unfinished

# What the user's shell set for another Python must not reach ours.
unset PYTHONPATH PYTHONHOME VIRTUAL_ENV
export UV_PYTHON_DOWNLOADS=never PIP_USER=0 PIP_DISABLE_PIP_VERSION_CHECK=1
# Compiled now, once, by all cores: else the first command does it, or every one where Python may not write.
export UV_COMPILE_BYTECODE=1
# A company's or a machine's own certificates count for uv as they do for pip; a bare system may have none.
[ ! -r /etc/ssl/certs/ca-certificates.crt ] || export UV_SYSTEM_CERTS="${UV_SYSTEM_CERTS:-1}"
[ -w "${XDG_CACHE_HOME:-${HOME:-/nowhere}}" ] || export UV_CACHE_DIR="${UV_CACHE_DIR:-$venv/uv-cache}"

. "$root/scripts/ready.sh"
. "$root/scripts/apt.sh"

say() { printf 'wanvideo: %s\n' "$*" >&2; }

fail() {
    say "$*"
    exit 1
}

# Sets `python` to the file of a Python that is new enough. The file itself, not a link to it or a shim:
# so a .venv is seen to be dead when that Python is removed.
find_python() {
    probe='import os, sys; print("%s %d.%d.%d %s" % (
        (("old", "new")[sys.version_info >= (3, 11)],) + sys.version_info[:3] + (os.path.realpath(sys.executable),)))'
    older=
    for name in python3 python3.11 python3.12 python3.13 python3.14; do
        answer=$(command -v "$name" >/dev/null 2>&1 && "$name" -c "$probe" 2>/dev/null) || continue
        version=${answer#* }
        python=${version#* }
        case $answer in new*) return 0 ;; esac
        [ -n "$older" ] || older=${version%% *}
    done
    fail "needs Python 3.11 or newer; this machine has ${older:-none}. Install one and run this again."
}

# Sets `uv` to a uv that starts; empty when there is none.
find_uv() {
    for uv in "$(command -v uv || :)" "${HOME:-}/.local/bin/uv" "$venv/bin/uv"; do
        [ -x "$uv" ] && "$uv" --version >>"$log" 2>&1 && return 0
    done
    uv=
    return 1
}

# A .venv that can be added to: it starts, is new enough, and has not been moved here from elsewhere.
venv_works() {
    [ -x "$venv/bin/python" ] && [ ! -e "$unfinished" ] &&
        "$venv/bin/python" -I -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>>"$log" &&
        { [ ! -e "$venv/bin/wanvideo" ] || grep -qF -- "$venv/" "$venv/bin/wanvideo"; }
}

# The lock and the log stay: other processes wait for the one, and the other is being written.
empty_venv() {
    find "$venv" -mindepth 1 -maxdepth 1 ! -name setup.lock ! -name setup.log -exec rm -rf {} +
}

# Sets `seed` to the Debian package of pip's seed (ensurepip), which Debian keeps apart; empty when it is here.
find_seed() {
    seed=
    "$python" -I -c 'import ensurepip' 2>>"$log" && return 0
    seed=$("$python" -I -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
    refusal=$(apt_refusal)
    [ -z "$refusal" ] ||
        fail "this Python has no pip to begin with, and $refusal. Install $seed (sudo apt-get install $seed) or uv, and run this again."
}

install_uv() {
    if [ -n "$seed" ]; then
        say "installing $seed ..."
        apt_install "$log" "$seed" || explain "apt-get could not install $seed"
    fi
    "$venv/bin/python" -I -m ensurepip >>"$log" 2>&1 || explain "pip could not be set up"
    "$venv/bin/python" -I -m pip install --retries 2 --only-binary :all: --require-hashes \
        -r "$root/scripts/requirements-uv.lock" >>"$log" 2>&1 || explain "uv could not be installed"
    uv=$venv/bin/uv
    # Who has told pip about a mirror means it for us too; a uv of the user's own has settings of its own.
    if [ -z "${UV_DEFAULT_INDEX:-}${UV_INDEX_URL:-}" ]; then
        mirror=${PIP_INDEX_URL:-$("$venv/bin/python" -I -m pip config get global.index-url 2>/dev/null || :)}
        [ -z "$mirror" ] || export UV_DEFAULT_INDEX="$mirror"
    fi
}

uv_install() { (cd "$root" && "$uv" pip install --python "$venv/bin/python" "$@") >>"$log" 2>&1; }

# Ends set-up with one line: no network is the user's to mend, everything else needs the log.
explain() {
    if grep -qiE 'dns error|name resolution|resolve host|error sending request|connection (refused|reset|timed out)|timed out|NewConnectionError|network is unreachable|failed to connect|tcp connect' "$log"; then
        rm -f "$unfinished" # nothing was half done: what is there can be used again
        fail "could not reach the package index; run this again when online (details: $log)"
    fi
    fail "set-up failed: $1 (details: $log)"
}

if [ "${2:-}" != locked ]; then
    find_python
    mkdir -p "$venv" 2>/dev/null && [ -w "$venv" ] || fail "cannot write to $venv, where it sets itself up"
    exec "$python" -I "$root/scripts/hold_lock.py" "$venv/setup.lock" \
        "wanvideo: another process is setting up; waiting for it ..." sh "$0" "$lock" locked "$python"
fi

python=$3
! is_ready "$root" "$lock" || exit 0 # another process did it while this one waited
started_s=$(date +%s)
: >"$log"
key=$(ready_key "$root" "$lock") # taken before: a lock that changes meanwhile is seen at the next start
runtime_key=$(ready_key "$root" requirements.lock) # the development lock holds all of it
venv_works || empty_venv
: >"$unfinished" # left behind by Ctrl-C or a crash: the next start then begins from nothing
rm -f "$venv/ready-$lock"

find_uv || find_seed
say "setting up in .venv (once, about 20 s) ..."
[ -x "$venv/bin/python" ] || "$python" -I -m venv --without-pip "$venv" >>"$log" 2>&1 ||
    explain "no virtual environment could be made"
[ -n "$uv" ] || install_uv
uv_install --require-hashes -r "$lock" || explain "the packages could not be installed"
uv_install --no-deps --editable . || explain "wanvideo itself could not be installed"
"$venv/bin/python" -m compileall -q "$root/src" >>"$log" 2>&1 || : # a folder that cannot be written is no harm

[ "$lock" = requirements.lock ] || printf '%s\n' "$runtime_key" >"$venv/ready-requirements.lock"
printf '%s\n' "$key" >"$venv/ready-$lock"
rm -f "$unfinished"
say "ready after $(($(date +%s) - started_s)) s."
