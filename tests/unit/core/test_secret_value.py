"""A secret can't be printed by accident."""

from __future__ import annotations

import json
import pickle

import pytest
from task_engine.model.secret import SecretValue


def test_no_way_of_printing_shows_it() -> None:
    secret = SecretValue("hunter2")
    shown = f"{secret} {secret!r} {secret!s} {secret:>20} %s" % secret
    assert "hunter2" not in shown
    assert secret.reveal() == "hunter2"


def test_it_can_be_neither_pickled_nor_put_into_json() -> None:
    with pytest.raises(TypeError):
        pickle.dumps(SecretValue("hunter2"))
    with pytest.raises(TypeError):
        json.dumps({"secret": SecretValue("hunter2")})
