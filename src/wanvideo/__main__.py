"""`python -m wanvideo`: the command line. Ctrl-C is quiet from here on, also while the rest is loaded."""

from __future__ import annotations

import sys


def main() -> None:
    try:
        from wanvideo.cli.main import main as run
    except KeyboardInterrupt:
        sys.stderr.write("left; nothing was sent\n")
        sys.exit(130)
    run()


if __name__ == "__main__":
    main()
