"""`python -m wanvideo_emulator`"""

from __future__ import annotations

import sys

from wanvideo_emulator.command import main

sys.exit(main(sys.argv[1:]))
