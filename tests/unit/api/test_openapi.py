"""The description says all that the code does, and is the committed one."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate
from task_engine.api.openapi.document import RESOURCES, openapi_document, undescribed
from task_engine.api.openapi.examples import Examples
from task_engine.api.openapi.published import DOCUMENT, SITE, published_files
from task_engine.api.openapi.routes import all_routes

from tests.unit.api.world import World

ROOT = Path(__file__).parents[3]
_OPERATIONS = {key: each for resource in RESOURCES for key, each in resource.operations.items()}


@pytest.fixture(scope="module")
def document() -> Any:
    return openapi_document(all_routes(), ROOT / "events")


def test_every_route_is_described_and_every_description_has_a_route() -> None:
    assert undescribed(all_routes()) == set()


@pytest.mark.parametrize("name", [DOCUMENT, f"{SITE}/openapi.json", f"{SITE}/docs.html"])
def test_the_committed_file_is_what_the_code_says(name: str) -> None:
    committed = (ROOT / name).read_text(encoding="utf-8")
    assert committed == published_files(ROOT)[name], "run make openapi"


def test_the_document_is_openapi(document: Any) -> None:
    validate(document)


def test_every_schema_is_a_schema_and_used(document: Any) -> None:
    text = json.dumps(document)
    for name, schema in document["components"]["schemas"].items():
        Draft202012Validator.check_schema(schema)
        assert f'"#/components/schemas/{name}"' in text, f"nothing uses {name}"


def test_every_example_is_as_its_schema_says(document: Any) -> None:
    shown = 0
    for item in document["paths"].values():
        for operation in item.values():
            for media in operation.get("requestBody", {}).get("content", {}).values():
                schema = {**media["schema"], "components": document["components"]}
                for name, example in media["examples"].items():
                    errors = list(Draft202012Validator(schema).iter_errors(example["value"]))
                    assert not errors, f"{operation['operationId']} {name}: {errors[0].message}"
                    shown += 1
    assert shown >= len([each for each in _OPERATIONS.values() if each.body])


@pytest.mark.parametrize("key", _OPERATIONS)
def test_a_payload_under_events_shows_each_operation(key: str) -> None:
    # Given the payload that an operation is shown by
    operation = _OPERATIONS[key]
    path = Examples(ROOT / "events").path(operation.event)
    # Then it is a request to that operation's path
    template = key.partition(" ")[2]
    assert re.fullmatch(re.sub(r"\{\w+\}", "[^/:]+", template), path), path


def test_operations_have_names_of_their_own() -> None:
    ids = [operation.id for operation in _OPERATIONS.values()]
    assert len(set(ids)) == len(ids)


def test_the_function_serves_the_committed_document(world: World) -> None:
    answer = world.call("GET", "/openapi.json", token="")
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json == json.loads((ROOT / DOCUMENT).read_text(encoding="utf-8"))


def test_the_page_needs_nothing_else(world: World) -> None:
    answer = world.call("GET", "/docs", token="")
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert not re.search(r"<(script|link|img|iframe)|\bsrc=|url\(|@import", answer.text)
    for operation in _OPERATIONS.values():
        assert f'id="{operation.id}"' in answer.text
