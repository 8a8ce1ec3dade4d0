"""Secrets: encrypted where they stand, bound to their place, the narrowest scope wins."""

from __future__ import annotations

import pytest
from task_engine.aws.failures import AwsError
from task_engine.aws.secret_reader import secret_context, secret_key
from task_engine.errors import InvalidRequest
from task_engine.model.paging import PageRequest
from task_engine.model.secret import SecretInfo, SecretScope
from task_engine.run.ports import Run

from tests.integration.world import World, an_owner, run_of

USER, WORKFLOW = SecretScope.USER, SecretScope.WORKFLOW


@pytest.fixture
def run(world: World) -> Run:
    return run_of(world.given_execution(world.given_task()))


def values(world: World, run: Run, *names: str) -> dict[str, str]:
    loaded = world.steps().load(run, [], names).secrets
    return {name: value.reveal() for name, value in loaded.items()}


def test_the_value_stands_nowhere_in_plain_text(world: World) -> None:
    owner = an_owner()
    world.secrets().put(owner, USER, "", "API", "open-sesame-now", 1)
    (item,) = [i for i in world.items("TABLE_SECRETS") if i["owner"]["S"] == owner]
    ciphertext = item["ciphertext"]["B"]
    assert isinstance(ciphertext, bytes)
    assert b"open-sesame-now" not in ciphertext
    assert "open-sesame-now" not in str({**item, "ciphertext": ""})


def test_the_narrowest_scope_wins(world: World, run: Run) -> None:
    store = world.secrets()
    assert values(world, run, "API", "SHARED", "NONE") == {
        "API": "of the server",
        "SHARED": "of the server",
    }
    store.put(run.owner, USER, "", "API", "of the user", 1)
    assert values(world, run, "API") == {"API": "of the user"}
    store.put(run.owner, WORKFLOW, run.task_id, "API", "of the workflow", 1)
    assert values(world, run, "API") == {"API": "of the workflow"}


def test_a_workflows_secret_is_seen_by_no_other(world: World, run: Run) -> None:
    world.secrets().put(run.owner, WORKFLOW, run.task_id, "ONLY", "mine", 1)
    other_task = world.given_task(owner=run.owner)
    assert values(world, run_of(world.given_execution(other_task)), "ONLY") == {}
    stranger = run_of(world.given_execution(world.given_task()))
    assert values(world, stranger, "ONLY") == {}


def test_a_ciphertext_that_was_moved_does_not_decrypt(world: World) -> None:
    victim, thief = an_owner(), an_owner()
    key = secret_key(USER, "", "API")
    ciphertext = world.vault.encrypt("sesame", secret_context(victim, key, "API"))
    assert world.vault.decrypt(ciphertext, secret_context(victim, key, "API")) == "sesame"
    for context in (
        secret_context(thief, key, "API"),
        secret_context(victim, secret_key(WORKFLOW, "0" * 26, "API"), "API"),
        secret_context(victim, secret_key(USER, "", "OTHER"), "OTHER"),
    ):
        with pytest.raises(AwsError):
            world.vault.decrypt(ciphertext, context)


def test_values_of_4096_bytes_are_the_most(world: World, run: Run) -> None:
    world.secrets().put(run.owner, USER, "", "LONG", "ü" * 2048, 1)
    assert values(world, run, "LONG") == {"LONG": "ü" * 2048}
    with pytest.raises(InvalidRequest, match="4096 bytes"):
        world.secrets().put(run.owner, USER, "", "LONG", "ü" * 2048 + "x", 1)


def test_plain_values_are_kept_for_five_minutes(world: World, run: Run) -> None:
    world.secrets().put(run.owner, USER, "", "API", "sesame", 1)
    steps = world.steps()
    steps.load(run, [], ["API"])
    world.operations()
    world.clock.forward(299_000)
    steps.load(run, [], ["API"])
    assert "Decrypt" not in world.operations()
    world.clock.forward(2_000)
    steps.load(run, [], ["API"])
    assert "Decrypt" in world.operations()


def test_a_replaced_value_is_seen_at_once(world: World, run: Run) -> None:
    world.secrets().put(run.owner, USER, "", "API", "old", 1)
    steps = world.steps()
    steps.load(run, [], ["API"])
    world.secrets().put(run.owner, USER, "", "API", "new", 2)
    assert steps.load(run, [], ["API"]).secrets["API"].reveal() == "new"


def test_putting_again_replaces_and_keeps_the_birthday(world: World) -> None:
    owner, store = an_owner(), world.secrets()
    assert store.put(owner, USER, "", "API", "old", 1)
    assert not store.put(owner, USER, "", "API", "new", 2)
    rows = store.page(owner, None, PageRequest()).rows
    assert rows == (SecretInfo("API", USER, "", 1, 2),)


def test_deleting_tells_whether_there_was_one(world: World) -> None:
    owner, store = an_owner(), world.secrets()
    store.put(owner, USER, "", "API", "x", 1)
    assert not store.delete(owner, WORKFLOW, "0" * 26, "API")
    assert store.delete(owner, USER, "", "API")
    assert not store.delete(owner, USER, "", "API")


@pytest.mark.parametrize("limit", [1, 2, 7])
def test_pages_ascend_by_key_forward_and_back(world: World, limit: int) -> None:
    owner, store = an_owner(), world.secrets()
    for name in ("c", "a", "b"):
        store.put(owner, USER, "", name, "x", 1)
        store.put(owner, WORKFLOW, "0" * 26, name, "x", 1)
        store.put(owner, WORKFLOW, "1" * 26, name, "x", 1)
    forward = [store.page(owner, None, PageRequest(limit=limit))]
    while forward[-1].has_next:
        forward.append(store.page(owner, None, PageRequest(after=forward[-1].end_key, limit=limit)))
    names = [(i.scope.value, i.task_id[:1], i.name) for page in forward for i in page.rows]
    assert names == sorted(names)
    assert len(names) == 9
    page = forward[-1]
    for expected in reversed(forward[:-1]):
        page = store.page(owner, None, PageRequest(before=page.start_key, limit=limit))
        assert page.rows == expected.rows


def test_a_cursor_does_not_lead_out_of_a_workflows_list(world: World) -> None:
    owner, store = an_owner(), world.secrets()
    store.put(owner, USER, "", "mine", "x", 1)
    store.put(owner, WORKFLOW, "0" * 26, "first", "x", 1)
    store.put(owner, WORKFLOW, "1" * 26, "second", "x", 1)
    for cursor in ("user#", " ", f"workflow#{'0' * 26}#"):
        rows = store.page(owner, "1" * 26, PageRequest(after=cursor)).rows
        assert [row.name for row in rows] == ["second"]
    assert store.page(owner, "0" * 26, PageRequest(before="~")).rows[0].name == "first"
