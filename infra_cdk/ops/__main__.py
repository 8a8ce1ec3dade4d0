"""`python -m infra_cdk.ops`, also installed as `task-engine-ops`."""

from __future__ import annotations

import sys

from infra_cdk.ops.cli import main

sys.exit(main())
