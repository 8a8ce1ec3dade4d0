"""Files that are made from the code and committed."""

from __future__ import annotations

import json
from pathlib import Path

from task_engine.api.openapi.document import openapi_document
from task_engine.api.openapi.page import docs_page
from task_engine.api.openapi.routes import all_routes

DOCUMENT = "docs/openapi.json"
SITE = "functions/api_auth/site"


def published_files(root: Path) -> dict[str, str]:
    """Texts by path below the repository's `root`: the document to read, and the two that the
    function serves."""
    document = openapi_document(all_routes(), root / "events")
    readable = json.dumps(document, indent=2, ensure_ascii=False)
    short = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    return {
        DOCUMENT: readable + "\n",
        f"{SITE}/openapi.json": short + "\n",
        f"{SITE}/docs.html": docs_page(document),
    }
