"""MiniStack with its permission checks on; run as a script, by the emulator's own interpreter.

Every check of an assumed role is written down, one JSON line each, in the file that the variable
`PERMISSIONS_FILE` names: who, which action, on what, and whether it was allowed. What the emulator
takes for another resource than AWS does is put right here.
"""

from __future__ import annotations

import json
import os
from typing import Any

_ASSUMED = ":assumed-role/"
# Batches are allowed by the right to send one:
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-api-permissions-reference.html
_SAME_RIGHT = {"sqs:SendMessageBatch": "sqs:SendMessage"}


def _record_checks(path: str) -> None:
    from ministack.core import iam_evaluator  # noqa: PLC0415 - after the environment is known

    enforce, resolve = iam_evaluator.enforce, iam_evaluator.resolve_principal

    def recorded(key: str, action: str, service: str, region: str, **more: Any) -> Any:  # noqa: ANN401
        action = _SAME_RIGHT.get(action, action)
        denied = enforce(key, action, service, region, **more)
        principal = getattr(resolve(key or "", "000000000000"), "arn", "")
        if _ASSUMED in principal:
            check = {
                "role": principal.partition(_ASSUMED)[2].partition("/")[0],
                "action": action,
                "resource": more.get("resource_arn", "*"),
                "allowed": denied is None,
            }
            with open(path, "a", encoding="utf-8") as file:
                file.write(json.dumps(check) + "\n")
        return denied

    iam_evaluator.enforce = recorded


def _name_resources_as_aws_does() -> None:
    """A schedule belongs to the group that the call names, a task token to its state machine."""
    from ministack.core import iam_actions  # noqa: PLC0415

    extract = iam_actions.extract_resource_arn

    def extracted(service: str, method: str, path: str, *more: Any) -> str:  # noqa: ANN401
        arn = str(extract(service, method, path, *more))
        _, body, query, *_ = more
        if service == "scheduler" and ":schedule/default/" in arn:
            return arn.replace("/default/", f"/{_group(body, query)}/")
        return _standard_machine() or arn if service == "states" and arn == "*" else arn

    iam_actions.extract_resource_arn = extracted


def _group(body: bytes, query: dict[str, Any]) -> str:
    given = query.get("groupName") or (json.loads(body).get("GroupName") if body else None)
    return str(given[0] if isinstance(given, list) else given or "default")


def _standard_machine() -> str:
    """Tokens are of the one Standard machine; "" when there are several."""
    from ministack.services import stepfunctions  # noqa: PLC0415

    machines = [arn for arn in stepfunctions._state_machines if arn.endswith("-walk-standard")]
    return machines[0] if len(machines) == 1 else ""


def _count_loopback_as_tls() -> None:
    """The stacks forbid queues and buckets to be used without TLS; here nothing leaves the host."""
    from ministack import app  # noqa: PLC0415

    pin = app.pin_request_origin
    app.pin_request_origin = lambda source_ip, _: pin(source_ip, True)


def main() -> None:
    """Start the emulator with what is changed above."""
    _record_checks(os.environ["PERMISSIONS_FILE"])
    _name_resources_as_aws_does()
    _count_loopback_as_tls()
    from ministack import app  # noqa: PLC0415

    if not app.AUTH:
        raise SystemExit("AUTH=true is not set: nothing would be enforced")
    app.main()


if __name__ == "__main__":
    main()
