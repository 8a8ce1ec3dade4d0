"""Writes the description: `python -m task_engine.api.openapi <repository>`."""

from __future__ import annotations

import sys
from pathlib import Path

from task_engine.api.openapi.published import published_files


def main(root: Path) -> None:
    """Write every file that is made from the code, below the repository's `root`."""
    for name, text in published_files(root).items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
