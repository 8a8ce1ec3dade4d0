"""Whatever is created, triggered, paused, resumed, deleted, decided on and waited for in whatever
order: the API shows what a model of a page of code says."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)

from tests.integration.stored_api import StoredApi
from tests.integration.world import World

CODE = {"lang": "javascript", "source": "return 1"}
HOUR = 3_600_000
KEY_LASTS = 24 * HOUR
STUCK_AFTER = 330_000
OPEN = ("pending", "waiting")
REASON = "TASK_COMPLETION_REASON"


@dataclass
class Run:
    """An execution, as the model knows it; `wait` is "" or open or decided."""

    id: str
    started: int
    status: str = "pending"
    wait: str = ""
    timeout_at: int = 0


@dataclass
class Flow:
    """A task, as the model knows it; `most` is its budget."""

    id: str
    most: int
    expires: int
    status: str = "enabled"
    reason: str = ""
    deleted: bool = False
    runs: list[Run] = field(default_factory=list)
    keys: dict[str, tuple[Run, int]] = field(default_factory=dict)

    def refuses(self, now: int) -> bool:
        spent = self.most <= len(self.runs)
        return self.status != "enabled" or spent or 0 < self.expires < now

    def run_ended(self, now: int) -> None:
        """Its budget or its time may be over with that."""
        if self.deleted or self.status == "completed":
            return
        if self.most <= len(self.runs):
            self.status, self.reason = "completed", f"{REASON}_MAX_EXECUTIONS_REACHED"
        if 0 < self.expires <= now:
            self.status, self.reason = "completed", f"{REASON}_EXPIRED"


class Model(RuleBasedStateMachine):
    """The API on real tables beside the model."""

    flows = Bundle("flows")
    stored: World

    def __init__(self) -> None:
        super().__init__()
        self.api = StoredApi(self.stored)
        self.known: list[Flow] = []

    def teardown(self) -> None:
        """Sweeps are for everybody: nothing is left for those of the next example."""
        for flow in self.known:
            self.api.ask("DELETE", f"/workflows/{flow.id}")
            for run in flow.runs:
                self.api.end(flow.id, run.id, well=False)

    @property
    def now(self) -> int:
        return self.api.clock.ms

    def _tick(self) -> None:
        """Nothing happens twice in a millisecond here: ids then sort by when they were made."""
        self.api.clock.forward(7)

    @rule(target=flows, most=st.sampled_from([1, 2, 100]), hours=st.sampled_from([0, 2, 30]))
    def create(self, most: int, hours: int) -> Flow:
        self._tick()
        expires = self.now + hours * HOUR if hours else 0
        wallet = self.api.first_wallet(self.api.owner)
        body: dict[str, Any] = {
            "smartWalletAddress": wallet,
            "trigger": {"id": "t", "name": "start", "type": "manual", "config": {"lang": "json"}},
            "nodes": [{"id": "n", "name": "n", "type": "customCode", "config": CODE}],
            "edges": [{"id": "e", "source": "t", "target": "n"}],
            "inputVariables": {"settings": {"runner": wallet, "name": "model"}},
            "maxExecution": most,
        }
        if expires:
            body["expiredAt"] = expires
        answer = self.api.ask("POST", "/workflows", body)
        assert answer.status == 201, answer.text
        flow = Flow(answer.json["id"], most, expires)
        self.known.append(flow)
        return flow

    @rule(flow=flows, key=st.sampled_from(["", "one", "two"]))
    def trigger(self, flow: Flow, key: str) -> None:
        self._tick()
        headers = {"Idempotency-Key": key} if key else {}
        body = {"triggerType": "manual", "isBlocking": False}
        answer = self.api.ask("POST", f"/workflows/{flow.id}:trigger", body, headers=headers)
        if flow.deleted:
            assert answer.status == 404
            return
        run, until = flow.keys.get(key, (None, 0))
        if run is not None and self.now // 1000 <= until:
            assert answer.json["executionId"] == run.id
            return
        if flow.refuses(self.now):
            assert answer.status == 400, answer.text
            return
        assert answer.status == 202, answer.text
        made = Run(answer.json["executionId"], self.now)
        flow.runs.append(made)
        if key:
            flow.keys[key] = (made, self.now // 1000 + KEY_LASTS // 1000)

    @rule(flow=flows, word=st.sampled_from(["pause", "resume"]))
    def pause_or_resume(self, flow: Flow, word: str) -> None:
        self._tick()
        answer = self.api.ask("POST", f"/workflows/{flow.id}:{word}")
        if flow.deleted:
            assert answer.status == 404
        elif flow.status == "completed":
            assert answer.status == 409
        else:
            assert answer.status == 200, answer.text
            flow.status = {"pause": "disabled", "resume": "enabled"}[word]

    @rule(flow=flows)
    def delete(self, flow: Flow) -> None:
        answer = self.api.ask("DELETE", f"/workflows/{flow.id}")
        assert answer.status == 204
        flow.deleted = True

    @rule(data=st.data(), well=st.booleans())
    def a_walk_ends(self, data: st.DataObject, well: bool) -> None:
        self._tick()
        choice = [(f, r) for f in self.known for r in f.runs if r.status == "pending"]
        if not choice:
            return
        flow, run = data.draw(st.sampled_from(choice))
        self.api.end(flow.id, run.id, well=well)
        run.status = "success" if well else "error"
        flow.run_ended(self.now)

    @rule(data=st.data(), minutes=st.sampled_from([1, 90]))
    def a_walk_comes_to_a_wait(self, data: st.DataObject, minutes: int) -> None:
        self._tick()
        choice = [
            (f, r) for f in self.known for r in f.runs if r.status == "pending" and not r.wait
        ]
        if not choice:
            return
        flow, run = data.draw(st.sampled_from(choice))
        run.timeout_at = self.now + minutes * 60_000
        self.api.open_wait(flow.id, run.id, run.timeout_at)
        run.wait, run.status = "open", "waiting"

    @rule(data=st.data(), decision=st.sampled_from(["approve", "reject"]))
    def somebody_decides(self, data: st.DataObject, decision: str) -> None:
        self._tick()
        choice = [(f, r) for f in self.known for r in f.runs if r.wait in ("open", decision)]
        if not choice:
            return
        flow, run = data.draw(st.sampled_from(choice))
        path = f"/executions/{run.id}:signal?workflowId={flow.id}"
        answer = self.api.ask("POST", path, {"decision": decision})
        if run.wait == "open" and self.now >= run.timeout_at:
            assert answer.status == 400
            return
        assert answer.status == 200, answer.text
        if run.wait == "open":
            run.wait, run.status = decision, "pending"

    @rule(seconds=st.sampled_from([61, 400, 7_300, 100_000]))
    def time_passes(self, seconds: int) -> None:
        self.api.clock.forward(seconds * 1000 + 3)

    @rule()
    def the_sweeper_comes(self) -> None:
        self._tick()
        self.api.sweep()
        for flow in self.known:
            live = flow.status != "completed" and not flow.deleted
            if live and 0 < flow.expires <= self.now:
                flow.status, flow.reason = "completed", f"{REASON}_EXPIRED"
            for run in flow.runs:
                self._swept(flow, run)

    def _swept(self, flow: Flow, run: Run) -> None:
        if run.status not in OPEN or run.started >= self.now - STUCK_AFTER:
            return
        if flow.deleted:
            run.status = "error"
        elif run.wait == "open" and run.timeout_at <= self.now:
            run.wait, run.status = "timeout", "pending"

    @invariant()
    def the_api_shows_what_the_model_says(self) -> None:
        alive = [flow for flow in self.known if not flow.deleted]
        listed = self.api.ask("GET", "/workflows?limit=200").json["data"]
        assert [row["id"] for row in listed] == [flow.id for flow in reversed(alive)]
        for flow in self.known:
            self._compare(flow)

    def _compare(self, flow: Flow) -> None:
        answer = self.api.ask("GET", f"/workflows/{flow.id}")
        assert answer.status == (404 if flow.deleted else 200)
        if not flow.deleted:
            shown = answer.json
            assert shown["status"] == flow.status
            assert shown.get("completionReason", "") == flow.reason
            assert shown.get("executionCount", 0) == len(flow.runs)
            assert shown["remainingExecutions"] == flow.most - len(flow.runs)
        counted = self.api.ask("GET", f"/executions:count?workflowId={flow.id}")
        assert counted.json["total"] == len(flow.runs)
        if not flow.runs:
            return
        rows = self.api.ask("GET", f"/executions?workflowId={flow.id}&limit=200")
        expected = [(r.id, n, r.status) for n, r in enumerate(flow.runs)]
        found = [(row["id"], row["index"], row["status"]) for row in rows.json["data"]]
        assert found == expected[::-1]


def test_the_engine_does_what_its_model_does(world: World) -> None:
    Model.stored = world
    run_state_machine_as_test(
        Model,
        settings=settings(
            max_examples=12,
            stateful_step_count=30,
            deadline=None,
            derandomize=True,
            report_multiple_bugs=False,
            # Each step asks the emulator: shrinking takes minutes.
            phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
        ),
    )
