"""Which arm a branch takes."""

from tests.cases.case import Case, Seen, branch, code


def _took(arm: str | None):  # noqa: ANN202
    def check(seen: Seen) -> None:
        assert seen.status == "success", seen.error
        assert seen.step("choose")["success"] is True
        assert [name for name in seen.names if name != "choose"] == ([arm] if arm else [])
        if arm:
            assert seen.data("choose")["conditionId"].startswith("choose.")

    return check


def _case(name: str, arm: str | None, *conditions: tuple[str, str, str]) -> Case:
    arms = ["one", "two", "three"][: len(conditions)]
    return Case(
        name=name,
        data={"n": 5, "text": "important", "items": [1, 2, 3], "big": "123456789012345678901"},
        nodes=lambda _: [branch("choose", *conditions), *(code(a, f"return '{a}'") for a in arms)],
        edges=[("t", "choose")]
        + [
            (f"choose.{condition[0]}", arm) for condition, arm in zip(conditions, arms, strict=True)
        ],
        check=_took(arm),
    )


CASES = [
    _case(
        "the first true condition wins", "one", ("a", "if", "start.data.n > 1"), ("b", "if", "true")
    ),
    _case(
        "a later condition",
        "two",
        ("a", "if", "start.data.n > 9"),
        ("b", "if", "start.data.n == 5"),
    ),
    _case("else", "two", ("a", "if", "false"), ("b", "else", "")),
    _case("elseIf is a condition too", "two", ("a", "if", "false"), ("b", "elseIf", "true")),
    _case("nothing matches and there is no else", None, ("a", "if", "false")),
    _case("templates in an expression", "one", ("a", "if", "{{start.data.n}} > 4")),
    _case(
        "a string compared with a template",
        "one",
        ("a", "if", "{{start.data.text}} === 'important'"),
    ),
    _case(
        "words that contain import are harmless",
        "one",
        ("a", "if", "start.data.text == 'important'"),
    ),
    _case("truthy is not true", "two", ("a", "if", "start.data.n"), ("b", "else", "")),
    _case("an unknown variable is false", "two", ("a", "if", "nobody.data > 1"), ("b", "else", "")),
    _case("an exception is false", "two", ("a", "if", "start.data.x.y > 1"), ("b", "else", "")),
    _case("BigInt", "one", ("a", "if", "BigInt(start.data.big) > BigInt('99999999999999999999')")),
    _case("array methods", "one", ("a", "if", "start.data.items.some(i => i === 3)")),
]
