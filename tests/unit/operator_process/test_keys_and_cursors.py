"""Where an operator keeps its key and how far it has come."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from task_engine.operator.cursor import Cursor, Fired, SeenBlock

from task_engine_operator.config import ConfigError, KeyConfig
from task_engine_operator.cursors import SqliteCursors
from task_engine_operator.keys import signer_of

KEY = "0x" + "4c" * 32
HASH = "0x" + "ab" * 32


def cursor(block: int, revision: int, chain_id: int = 1) -> Cursor:
    fired = (Fired("task", "owner", 3, HASH, 7), Fired("other", "owner", 1))
    return Cursor(chain_id, block, HASH, 1, 99, (SeenBlock(block, HASH, fired),), revision)


def test_a_key_in_a_file_that_only_its_owner_reads(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(f"{KEY}\n")
    file.chmod(0o600)
    assert signer_of(KeyConfig(file=str(file)), {}).address == Account.from_key(KEY).address


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(KEY)
    file.chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        signer_of(KeyConfig(file=str(file)), {})


def test_a_key_in_a_variable() -> None:
    assert signer_of(KeyConfig(env="K"), {"K": KEY[2:]}).address == Account.from_key(KEY).address


@pytest.mark.parametrize("text", ["", "0x1234", "g" * 64, "00" * 32])
def test_what_is_no_key_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        signer_of(KeyConfig(env="K"), {"K": text})
    assert not text or text not in str(caught.value)


def test_a_missing_key_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nokey"):
        signer_of(KeyConfig(file=str(tmp_path / "nokey")), {})


def test_cursors_survive_the_process(tmp_path: Path) -> None:
    # Given a cursor that was written
    file = tmp_path / "deep" / "operator.db"
    store = SqliteCursors(file, "a watch")
    assert store.get(1) is None
    assert store.put(cursor(5, 1), 0)
    assert store.put(cursor(6, 2), 1)
    store.close()
    # When another process opens the file
    again = SqliteCursors(file, "a watch")
    # Then all of it is there, and nothing of another watch or chain
    assert again.get(1) == cursor(6, 2)
    assert again.get(2) is None
    assert SqliteCursors(file, "another").get(1) is None


def test_whoever_is_second_does_not_write(tmp_path: Path) -> None:
    file = tmp_path / "operator.db"
    one, two = SqliteCursors(file, "w"), SqliteCursors(file, "w")
    assert one.put(cursor(5, 1), 0)
    assert not two.put(cursor(9, 1), 0)
    assert one.put(cursor(6, 2), 1)
    assert not two.put(cursor(9, 2), 1)
    assert two.get(1) == cursor(6, 2)


def test_of_many_at_once_exactly_one_writes(tmp_path: Path) -> None:
    store = SqliteCursors(tmp_path / "operator.db", "w")
    assert store.put(cursor(1, 1), 0)
    won: list[bool] = []
    threads: list[Any] = [
        threading.Thread(target=lambda n=n: won.append(store.put(cursor(n, 2), 1)))
        for n in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(won) == [False] * 19 + [True]


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="state"):
        SqliteCursors(tmp_path / "file" / "operator.db", "w")
