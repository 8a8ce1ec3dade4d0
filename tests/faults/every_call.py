"""Makes, of what the samples' calls were, everything that may go wrong with them; runs it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from infra_cdk.catalogue import CHAIN_NODE_FUNCTIONS, FUNCTIONS, OPERATOR_FUNCTION
from infra_cdk.local.client import ApiClient
from infra_cdk.local.login import sign_in
from tests.e2e.faults.workers import kill_workers
from tests.faults.control import Call, Fault
from tests.faults.outcome import Result, use
from tests.faults.samples import SAMPLES, Sample
from tests.faults.world import FaultWorld

AT_ONCE = 10
# A client of the engine tries four times.
_TRIES = 4
# The first call of a place, and one of a later invocation.
_MOST_OF_A_PLACE = 2
_OF_AWS = {"lost": 1, "throttled": 1, "unavailable": _TRIES, "timed out": _TRIES}
# Functions that no task's way leads through.
BESIDE = frozenset({"api_auth", "api_nodes", "api_operators", "api_secrets", "api_wallets"})
# Functions that need a chain, which the fault stage has none of.
ON_CHAIN = frozenset({*CHAIN_NODE_FUNCTIONS, OPERATOR_FUNCTION})


@dataclass(frozen=True)
class Case:
    """A sample, and what goes wrong in it."""

    sample: Sample
    fault: Fault

    def __str__(self) -> str:
        return f"{self.sample.name} | {self.fault}"


@dataclass(frozen=True)
class Used:
    """A case and what came of it."""

    case: Case
    result: Result

    def __str__(self) -> str:
        return f"{self.case}: {'; '.join(self.result.problems) or 'all right'}"


@dataclass
class Every:
    """All cases of a stage; `recorded` are the samples' results with nothing going wrong."""

    world: FaultWorld
    api: ApiClient
    recorded: dict[str, Result]
    told: list[str] = field(default_factory=list)
    _announced: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, world: FaultWorld) -> Every:
        """Sign in and record."""
        api = sign_in(world.anonymous)
        api.put_secret("TOKEN", "of no value")
        together = [sample for sample in SAMPLES if not sample.alone]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            results = list(pool.map(lambda sample: use(world, api, sample), together))
        recorded = {s.name: result for s, result in zip(together, results, strict=True)}
        recorded |= {sample.name: use(world, api, sample) for sample in SAMPLES if sample.alone}
        return cls(world, api, recorded)

    def unannounced(self, used: Iterable[Used]) -> list[str]:
        """Cases of which an execution's end was not announced so far."""
        self._announced |= self.world.announcements()
        return [str(u.case) for u in used if not self._announced.issuperset(u.result.ended)]

    def calls(self) -> set[Call]:
        """Every place that was seen."""
        return {call for result in self.recorded.values() for call in result.calls}

    def cases(self) -> list[Case]:
        """In a fixed order; each place once, in the first sample that comes by."""
        seen: set[Call] = set()
        cases: list[Case] = []
        for sample in SAMPLES:
            calls = self.recorded[sample.name].calls
            for call in sorted(calls.keys() - seen):
                if call.function == sample.always and call.operation == "begin":
                    continue
                seen.add(call)
                last = min(calls[call], _MOST_OF_A_PLACE)
                faults = (f for n in range(1, last + 1) for f in _faults(call, n))
                cases += [Case(sample, fault) for fault in faults if not _swallowed(fault)]
        return cases

    def run(self, cases: Sequence[Case]) -> list[Used]:
        """Several at once; those that work for all tasks at once one after another."""
        together = [case for case in cases if not case.sample.alone]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            used = list(pool.map(self._use, together))
        used += [self._use(case) for case in cases if case.sample.alone]
        return [self._again(u) if not u.result.struck else u for u in used]

    def _use(self, case: Case) -> Used:
        return Used(case, use(self.world, self.api, case.sample, case.fault))

    def _again(self, missed: Used) -> Used:
        """Some calls are made by new processes only: what they bring is kept in memory."""
        function = missed.case.fault.call.function.replace("_", "-")
        kill_workers(self.world.stage, function)
        return self._use(missed.case)


def _faults(call: Call, nth: int) -> Iterator[Fault]:
    if call.operation != "end":
        yield Fault(call, nth, "die before")
    if call.operation != "begin":
        yield Fault(call, nth, "die after")
    if call.service not in ("lambda", "outside"):
        yield from (Fault(call, nth, kind, times) for kind, times in _OF_AWS.items())
    if call.stale:
        yield Fault(call, nth, "stale")


def _swallowed(fault: Fault) -> bool:
    """The emulator tells nobody when a function that got a task token fails: AWS retries it, as
    the walker says."""
    call = fault.call
    # Whoever looks for a decision does so patiently, whoever has a token opens the wait.
    with_token = bool(call.site) and "patiently" not in call.site
    opens = with_token or (call.operation == "begin" and fault.nth == 2)
    return call.function == "node_await" and opens and fault.kind not in ("lost", "throttled")


def never_seen(calls: Iterable[Call]) -> set[str]:
    """Functions, and operations on tables that the catalogue allows them, of which no sample makes
    use. What the API does besides has nothing to do with a task's way."""
    made = {
        (call.function, operation or call.operation, name)
        for call in calls
        for name, _, operation in (table.partition(":") for table in call.tables)
    }
    functions = {call.function for call in calls}
    missing = {name for name in FUNCTIONS if name not in functions | BESIDE | ON_CHAIN}
    for name in (f for f in functions if not f.startswith("api_")):
        for table, operations in FUNCTIONS[name].tables.items():
            short = table.partition("/")[0].replace("_", "")
            missing |= {
                f"{name} {operation} {table}"
                for operation in operations
                if (name, operation, short) not in made
            }
    return missing
