"""What nodes can read: trigger, settings, input variables, secrets."""

from tests.cases.case import Case, Seen, code, rest


def _gives(value: object):  # noqa: ANN202
    def check(seen: Seen) -> None:
        assert seen.status == "success", seen.error
        assert seen.data("run") == value

    return check


def _trigger_step(seen: Seen) -> None:
    step = seen.execution["steps"][0]
    assert step["type"] == "manual"
    assert step["success"] is True
    assert step["output"]["data"] == {"amount": 3}
    assert seen.data("run") == {"amount": 3}


def _masked(seen: Seen) -> None:
    assert seen.status == "success", seen.error
    text = str(seen.execution)
    assert "s3cr3t-value-of-the-case" not in text
    assert "[secret]" in text
    assert seen.data("length") == len("s3cr3t-value-of-the-case")


def _headers(seen: Seen) -> None:
    assert seen.data("run") == ["7", "42"]


def _inputs(seen: Seen) -> None:
    assert "start.data" in seen.step("second")["inputs"]
    assert "first.data" in seen.step("second")["inputs"]
    assert "second.data" not in seen.step("second")["inputs"]


CASES = [
    Case(
        name="the trigger's data",
        data={"amount": 3},
        nodes=lambda _: [code("run", "return start.data")],
        edges=[("t", "run")],
        check=_trigger_step,
    ),
    Case(
        name="call-time data replaces the trigger's own",
        data={"amount": 3},
        call={"triggerOutput": {"amount": 4}},
        nodes=lambda _: [code("run", "return start.data.amount")],
        edges=[("t", "run")],
        check=_gives(4),
    ),
    Case(
        name="headers and path parameters",
        config={"headers": {"x-id": "7"}, "pathParams": {"user": "42"}},
        nodes=lambda _: [code("run", "return [start.headers['x-id'], start.pathParams.user]")],
        edges=[("t", "run")],
        check=_headers,
    ),
    Case(
        name="input variables, and call-time ones over them",
        variables={"limit": 5, "names": ["a"]},
        call={"triggerInput": {"limit": 6}},
        nodes=lambda _: [code("run", "return [limit, names[0], settings.name]")],
        edges=[("t", "run")],
        check=_gives([6, "a", "case"]),
    ),
    Case(
        name="snake and camel case are bridged",
        data={"user_id": 1, "firstName": "Ada", "list": [{"is_on": True}]},
        nodes=lambda s: [
            rest(
                "echo",
                s.http + "/echo?a={{start.data.userId}}&b={{start.data.first_name}}"
                "&c={{start.data.list[0].isOn}}",
            ),
            code(
                "run",
                "return [echo.data.query.a, echo.data.query.b, echo.data.query.c].map(String)",
            ),
        ],
        edges=[("t", "echo"), ("echo", "run")],
        check=_gives(["1", "Ada", "true"]),
    ),
    Case(
        name="a secret is used and never shown",
        secrets={"TOKEN": "s3cr3t-value-of-the-case"},
        nodes=lambda s: [
            rest(
                "call",
                s.http + "/echo",
                headers={"Authorization": "Bearer {{apContext.configVars.TOKEN}}"},
            ),
            code(
                "leak",
                "console.log(apContext.configVars.TOKEN); return [apContext.configVars.TOKEN]",
            ),
            code("length", "return apContext.configVars.TOKEN.length"),
        ],
        edges=[("t", "call"), ("call", "leak"), ("leak", "length")],
        check=_masked,
    ),
    Case(
        name="a step lists what it could read",
        nodes=lambda _: [code("first", "return 1"), code("second", "return 2")],
        edges=[("t", "first"), ("first", "second")],
        check=_inputs,
    ),
]
