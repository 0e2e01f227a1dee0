"""``python -m hybridhash``."""

import sys

from hybridhash.cli import main

sys.exit(main())
