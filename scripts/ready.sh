# Sourced by ./wanvideo, ./check and setup.sh: is .venv what this checkout needs?

# What .venv was made from: the checksums of the project file and of one lock. The paths are printed
# with them, so that a checkout that was moved or copied counts as not set up.
ready_key() { # ROOT LOCK
    cksum "$1/pyproject.toml" "$1/$2"
}

# True when the last set-up with this lock was finished, and nothing it was made from has changed since.
# `-x` follows links: it is false when the Python that .venv was made with has gone.
is_ready() { # ROOT LOCK
    [ -x "$1/.venv/bin/python" ] && [ -x "$1/.venv/bin/wanvideo" ] && [ -r "$1/.venv/ready-$2" ] &&
        [ "$(cat "$1/.venv/ready-$2")" = "$(ready_key "$1" "$2")" ]
}
