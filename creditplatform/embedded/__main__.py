"""`python -m creditplatform.embedded`."""

import sys

from creditplatform.embedded.cli import main

sys.exit(main())
