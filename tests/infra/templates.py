"""The synthesised templates of a stage, with references made readable."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

STACKS = ("Stateful", "Stateless")
_HASH = re.compile(r"[0-9A-F]{8}$")
Resource = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Statement:
    """One IAM statement: whom it is about stands in the caller's hand."""

    actions: frozenset[str]
    resources: frozenset[str]
    condition: str


class Templates:
    """Both stacks of one stage."""

    def __init__(self, assembly: Path) -> None:
        self.assembly = assembly
        self.by_stack: dict[str, dict[str, Any]] = {
            stack: json.loads((assembly / f"{stack}.template.json").read_text()) for stack in STACKS
        }
        outputs = self.by_stack["Stateful"].get("Outputs", {}).values()
        self._exports = {o["Export"]["Name"]: o["Value"] for o in outputs if "Export" in o}

    def resources(self, kind: str = "") -> dict[str, Resource]:
        """Resources of a type, or all, by logical id; the stacks share no id."""
        return {
            logical_id: resource
            for template in self.by_stack.values()
            for logical_id, resource in template["Resources"].items()
            if kind in ("", resource["Type"])
        }

    def outputs(self, stack: str) -> dict[str, Any]:
        """Output values by name."""
        return {k: v["Value"] for k, v in self.by_stack[stack].get("Outputs", {}).items()}

    def functions(self) -> dict[str, Resource]:
        """The engine's functions by their name in the repository."""
        found = {}
        for resource in self.resources("AWS::Lambda::Function").values():
            handler = resource["Properties"]["Handler"]
            found[handler.split(".")[1]] = resource
        return found

    def readable(self, value: object) -> str:
        """A reference as text: logical ids without hashes, imports followed to what they export."""
        match value:
            case str():
                return value
            case {"Ref": str(name)}:
                return name if name.startswith("AWS::") else _HASH.sub("", name)
            case {"Fn::GetAtt": [str(name), str(attribute)]}:
                return f"{_HASH.sub('', name)}.{attribute}"
            case {"Fn::ImportValue": str(name)}:
                return self.readable(self._exports[name])
            case {"Fn::Join": [str(separator), list(parts)]}:
                return separator.join(self.readable(part) for part in parts)
        raise AssertionError(f"not a reference that this stack should make: {value}")

    def statements(self, role: object) -> list[Statement]:
        """All statements of the policies of a role; managed policies are none of ours."""
        wanted = self.readable(role).removesuffix(".Arn")
        statements: list[Statement] = []
        for policy in self.resources("AWS::IAM::Policy").values():
            properties = policy["Properties"]
            if wanted in {self.readable(name) for name in properties["Roles"]}:
                for statement in properties["PolicyDocument"]["Statement"]:
                    statements.append(self._statement(statement))
        return statements

    def privileges(self, role: object) -> dict[str, set[str]]:
        """What a role may do, by resource."""
        allowed: dict[str, set[str]] = {}
        for statement in self.statements(role):
            for resource in statement.resources:
                allowed.setdefault(resource, set()).update(statement.actions)
        return allowed

    def _statement(self, statement: dict[str, Any]) -> Statement:
        assert statement["Effect"] == "Allow"
        return Statement(
            frozenset(_list(statement["Action"])),
            frozenset(self.readable(resource) for resource in _list(statement["Resource"])),
            json.dumps(statement.get("Condition", {}), sort_keys=True),
        )


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else [value]
