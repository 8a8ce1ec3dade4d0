"""Schemas of what authors send, from the forms that check it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic.json_schema import models_json_schema

from task_engine.api.openapi.shapes import Schema, ref
from task_engine.compiler.schema.base import Form
from task_engine.compiler.schema.envelope import CreateForm, EdgeForm, NodeForm, TriggerForm
from task_engine.compiler.schema.kinds import NODE_FORMS, RUNNER_TYPES, TRIGGER_FORMS
from task_engine.compiler.schema.loop import LoopRunner
from task_engine.model.node import NodeType
from task_engine.model.trigger import TriggerType

_RENAMED = {
    "CreateForm": "CreateWorkflowRequest",
    "EdgeForm": "Edge",
    "RetryForm": "Retry",
}
_TEMPLATES = ("TriggerForm", "NodeForm", "LoopRunner")


def form_schemas() -> dict[str, Schema]:
    """All forms; triggers, nodes and loop runners as one schema for each type, told apart by
    `type`."""
    found = _plain(_forms())
    trigger, node, runner = (found.pop(name) for name in _TEMPLATES)
    found.update(_union("Trigger", trigger, TRIGGER_FORMS.items()))
    found.update(_union("Node", node, NODE_FORMS.items()))
    runners = [(kind, form) for kind, form in NODE_FORMS.items() if kind in RUNNER_TYPES]
    found.update(_union("Runner", runner, runners))
    found["LoopConfig"]["properties"]["runner"] = ref("Runner")
    request = found["CreateWorkflowRequest"]["properties"]
    request["trigger"] = ref("Trigger")
    request["nodes"] = {**request["nodes"], "items": ref("Node")}
    request["edges"] = {**request["edges"], "items": ref("Edge")}
    request["inputVariables"] = ref("InputVariables")
    found["InputVariables"] = _variables()
    return found


def _forms() -> Iterable[type[Form]]:
    yield from (CreateForm, EdgeForm, NodeForm, TriggerForm, LoopRunner)
    yield from NODE_FORMS.values()
    yield from TRIGGER_FORMS.values()


def _plain(forms: Iterable[type[Form]]) -> dict[str, Schema]:
    _, document = models_json_schema(
        [(form, "validation") for form in dict.fromkeys(forms)],
        ref_template="#/components/schemas/{model}",
    )
    renamed: dict[str, Schema] = {
        _RENAMED.get(name, name): _mended(schema) for name, schema in document["$defs"].items()
    }
    return renamed


def _mended(value: Any) -> Any:  # noqa: ANN401 - any part of a JSON document
    """Without the titles that only repeat names, and with the names of this document."""
    if isinstance(value, list):
        return [_mended(item) for item in value]
    if not isinstance(value, dict):
        return value
    kept = {key: item for key, item in value.items() if key != "title" or isinstance(item, dict)}
    pointer = kept.get("$ref")
    if isinstance(pointer, str):
        prefix, _, name = pointer.rpartition("/")
        kept["$ref"] = f"{prefix}/{_RENAMED.get(name, name)}"
    if isinstance(kept.get("description"), str):
        kept["description"] = " ".join(kept["description"].split())
    return {key: _mended(item) for key, item in kept.items()}


def _union(
    name: str, template: Schema, kinds: Iterable[tuple[NodeType | TriggerType, type[Form]]]
) -> dict[str, Schema]:
    found: dict[str, Schema] = {}
    names: dict[str, str] = {}
    for kind, form in kinds:
        names[kind.value] = f"{kind.value[0].upper()}{kind.value[1:]}{name}"
        properties = {
            **template["properties"],
            "type": {"type": "string", "const": kind.value},
            "config": ref(form.__name__),
        }
        found[names[kind.value]] = {
            **template,
            "properties": properties,
            "description": (form.__doc__ or "").strip(),
        }
    found[name] = {
        "oneOf": [ref(each) for each in names.values()],
        "discriminator": {
            "propertyName": "type",
            "mapping": {word: ref(each)["$ref"] for word, each in names.items()},
        },
    }
    return found


def _variables() -> Schema:
    return {
        "type": "object",
        "properties": {
            "settings": {
                "type": "object",
                "properties": {
                    "runner": {
                        "type": "string",
                        "pattern": "^0[xX][0-9a-fA-F]{40}$",
                        "description": "The smart wallet that acts.",
                    },
                    "name": {"type": ["string", "null"], "maxLength": 255},
                },
                "required": ["runner"],
            }
        },
        "required": ["settings"],
        "description": "Values that every node can read by name.",
    }
