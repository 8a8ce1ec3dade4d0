"""What the functions of a stage were allowed, refused, and never asked for."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from infra_cdk.catalogue import FUNCTIONS
from infra_cdk.local.aws import LocalAws
from infra_cdk.local.emulator import PERMISSIONS_FILE

_ROLE = re.compile(r"-stateless-(?P<function>[A-Za-z]+?)Role[0-9A-F]")
_BY_CONSTRUCT = {spec.construct_id: spec.name for spec in FUNCTIONS.values()}


@dataclass(frozen=True, slots=True)
class Right:
    """An action of a function on an ARN, which may be a pattern."""

    function: str
    action: str
    resource: str

    def covers(self, used: Right) -> bool:
        """Whether `used` is what this allows."""
        return (self.function, self.action) == (used.function, used.action) and fnmatchcase(
            used.resource, self.resource
        )


def checked(directory: Path, *, allowed: bool) -> set[Right]:
    """What functions asked the emulator for since the stage of `directory` began, with this
    outcome; nothing unless the stage enforces permissions."""
    file = directory / PERMISSIONS_FILE
    found = set()
    for line in file.read_text(encoding="utf-8").splitlines() if file.exists() else ():
        check = json.loads(line)
        if check["allowed"] is allowed:
            function = _function_of(check["role"]) or check["role"]
            found.add(Right(function, check["action"], check["resource"]))
    return found


def granted(aws: LocalAws) -> set[Right]:
    """What the policies of the functions' roles allow, as they were deployed."""
    iam = aws.client("iam")
    rights: set[Right] = set()
    for page in iam.get_paginator("list_roles").paginate():
        for role in page["Roles"]:
            function = _function_of(role["RoleName"])
            for statement in _statements(iam, role["RoleName"]) if function else ():
                rights |= {
                    Right(function, action, resource)
                    for action in _list(statement["Action"])
                    for resource in _list(statement["Resource"])
                }
    return rights


def _statements(iam: Any, role: str) -> Iterator[dict[str, Any]]:  # noqa: ANN401
    for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        yield from document["Statement"]


def _function_of(role: str) -> str:
    """The engine's name of the function whose role it is; "" for other roles."""
    found = _ROLE.search(role)
    return _BY_CONSTRUCT.get(found["function"], "") if found else ""


def _list(value: Any) -> list[Any]:  # noqa: ANN401
    return value if isinstance(value, list) else [value]
