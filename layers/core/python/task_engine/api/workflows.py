"""Routes of tasks: workflows on the wire."""

from __future__ import annotations

import hashlib

from task_engine.api.application import Application, Gate
from task_engine.api.cursors import list_binding, page_json, page_request
from task_engine.api.execution_list import list_executions
from task_engine.api.http import Reply, Request
from task_engine.api.request_body import Fields, json_object
from task_engine.api.wire_execution import triggered_json
from task_engine.api.wire_task import task_json
from task_engine.errors import InvalidRequest, Problem
from task_engine.model.task import TaskStatus
from task_engine.model.trigger import TriggerType
from task_engine.services.executions import ExecutionService
from task_engine.services.firing import Firing
from task_engine.services.ports import TaskFilter
from task_engine.services.replies import Made, OncePerKey, reply_name
from task_engine.services.tasks import TaskService
from task_engine.services.triggers import TriggerService, key_occurrence

_KEPT_SECONDS = 24 * 3600
# Names of the first public version, still sent by some clients.
_ALIASES = {"active": "enabled", "executing": "running", "canceled": "disabled"}


class Workflows:
    """Endpoints over the use cases."""

    def __init__(
        self,
        tasks: TaskService,
        triggers: TriggerService,
        executions: ExecutionService,
        once: OncePerKey,
    ) -> None:
        self._tasks = tasks
        self._once = once
        self._triggers = triggers
        self._executions = executions

    def create(self, request: Request) -> Reply:
        """POST /workflows; the same Idempotency-Key and body again answer with the first task"""
        owner, body = request.principal.owner, json_object(request.body)

        def make() -> Made:
            return Made(task_json(self._tasks.create_task(owner, body)))

        key = request.headers.get("idempotency-key", "")
        if not key:
            return Reply(201, make().reply)
        fingerprint = hashlib.sha256(request.body).hexdigest()
        name = reply_name("create", owner, key)
        return Reply(201, self._once.reply(name, fingerprint, _KEPT_SECONDS, make))

    def list(self, request: Request) -> Reply:
        """GET /workflows"""
        owner, chosen = request.principal.owner, _filter_of(request)
        binding = list_binding("workflows", owner, _lowered(chosen.wallets), chosen.statuses)
        page = self._tasks.page(owner, chosen, page_request(request, binding))
        return Reply(
            200, page_json(page, binding, lambda task: task_json(task, with_variables=False))
        )

    def count(self, request: Request) -> Reply:
        """GET /workflows:count"""
        return Reply(
            200, {"total": self._tasks.count(request.principal.owner, _filter_of(request))}
        )

    def get(self, request: Request) -> Reply:
        """GET /workflows/{id}"""
        return Reply(200, task_json(self._tasks.get(request.principal.owner, request.path["id"])))

    def delete(self, request: Request) -> Reply:
        """DELETE /workflows/{id}"""
        self._tasks.delete(request.principal.owner, request.path["id"])
        return Reply(204)

    def pause(self, request: Request) -> Reply:
        """POST /workflows/{id}:pause"""
        return Reply(200, task_json(self._tasks.pause(request.principal.owner, request.path["id"])))

    def resume(self, request: Request) -> Reply:
        """POST /workflows/{id}:resume"""
        return Reply(
            200, task_json(self._tasks.resume(request.principal.owner, request.path["id"]))
        )

    def trigger(self, request: Request) -> Reply:
        """POST /workflows/{id}:trigger; 202 as long as the run has not ended"""
        firing = _firing_of(request)
        execution = self._triggers.fire(request.principal.owner, request.path["id"], firing)
        return Reply(200 if execution.status.final else 202, triggered_json(execution))

    def executions(self, request: Request) -> Reply:
        """GET /workflows/{id}/executions"""
        owner, task_id = request.principal.owner, request.path["id"].lower()
        return list_executions(self._executions, request, owner, (task_id,))


def _lowered(texts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(text.lower() for text in texts)


def _filter_of(request: Request) -> TaskFilter:
    statuses: list[TaskStatus] = []
    problems: list[Problem] = []
    for text in request.many("status"):
        word = _ALIASES.get(text.lower(), text.lower())
        if word in set(TaskStatus):
            statuses.append(TaskStatus(word))
        else:
            known = ", ".join(TaskStatus)
            problems.append(Problem("WORKFLOWS_BAD_REQUEST", "status", f"must be one of {known}"))
    if problems:
        raise InvalidRequest("the list can't be filtered like this", tuple(problems))
    return TaskFilter(request.many("smartWalletAddress"), tuple(dict.fromkeys(statuses)))


def _firing_of(request: Request) -> Firing:
    fields = Fields(json_object(request.body))
    word = fields.text("triggerType", required=True)
    if word and word not in set(TriggerType):
        known = ", ".join(TriggerType)
        fields.refuse("triggerType", f"must be one of {known}", "WORKFLOWS_BAD_TRIGGER_TYPE")
    output = fields.anything("triggerOutput")
    variables = fields.mapping("triggerInput")
    blocking = fields.flag("isBlocking")
    fields.finish()
    return Firing(
        type=TriggerType(word),
        occurrence=key_occurrence(request.headers.get("idempotency-key", "")),
        output=output,
        variables=variables,
        blocking=blocking,
    )


def build_app(
    gate: Gate,
    tasks: TaskService,
    triggers: TriggerService,
    executions: ExecutionService,
    once: OncePerKey,
) -> Application:
    """All routes below /workflows."""
    on = Workflows(tasks, triggers, executions, once)
    app = Application(gate)
    app.add("POST", "/workflows", on.create)
    app.add("GET", "/workflows", on.list)
    app.add("GET", "/workflows:count", on.count)
    app.add("GET", "/workflows/<id>/executions", on.executions)
    app.add("POST", "/workflows/<id>:pause", on.pause)
    app.add("POST", "/workflows/<id>:resume", on.resume)
    app.add("POST", "/workflows/<id>:trigger", on.trigger)
    app.add("GET", "/workflows/<id>", on.get)
    app.add("DELETE", "/workflows/<id>", on.delete)
    return app
