"""`python -m infra_cdk.local dev|stop|demo|prepare`."""

from __future__ import annotations

import sys

from infra_cdk.local.cli import main

sys.exit(main(sys.argv[1:]))
