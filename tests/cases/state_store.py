"""`state.*` lasts from one run of a task to the next."""

from tests.cases.case import Case, Seen, code


def _counted(seen: Seen) -> None:
    assert seen.status == "success", seen.error
    assert seen.data("run") == {"before": 2, "keys": ["count", "other"], "missing": True}


CASES = [
    Case(
        name="a counter grows over three runs",
        nodes=lambda _: [
            code(
                "run",
                "const before = state.get('count') || 0; state.set('count', before + 1); "
                "state.set('other', {x: 1}); "
                "return {before, keys: state.list(''), missing: state.get('no') === undefined}",
            )
        ],
        edges=[("t", "run")],
        check=_counted,
        runs=3,
    ),
]
