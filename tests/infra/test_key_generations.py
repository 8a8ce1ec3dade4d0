"""A new generation of a key comes beside the one that is in use."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from infra_cdk.stage import stage_config
from infra_cdk.synth import Options, synthesise
from tests.infra.templates import Templates

IMPORT = re.compile(r'"Fn::ImportValue": *"([^"]+)"')
CHAINS = '{"11155111": "https://rpc.test"}'


def built(place: Path, generations: str) -> Templates:
    environ = {"TASK_ENGINE_CHAINS": CHAINS, "TASK_ENGINE_KEY_GENERATIONS": generations}
    return Templates(synthesise("dev", place, Options(bundle=False), environ))


def keys(templates: Templates) -> dict[str, str]:
    """Keys by their readable names, with what they are for."""
    found = templates.resources("AWS::KMS::Key")
    return {
        templates.readable({"Ref": name}): key["Properties"]["Description"].partition(": ")[2]
        for name, key in found.items()
    }


def shared(place: Path) -> tuple[set[str], set[str]]:
    """Names of what the stack of data exports, and of what the other one imports."""
    texts = [file.read_text(encoding="utf-8") for file in place.rglob("*.template.json")]
    exports = {
        output["Export"]["Name"]
        for text in texts
        for output in json.loads(text).get("Outputs", {}).values()
        if "Export" in output
    }
    return exports, {name for text in texts for name in IMPORT.findall(text)}


def test_a_key_keeps_its_place_and_the_two_before_the_present_stay(tmp_path: Path) -> None:
    # Given the first three generations
    first, second, third, fourth = (
        built(tmp_path / str(n), f"tokens={n},bundler={n}") for n in (1, 2, 3, 4)
    )
    # Then each adds a key, and the first ones keep their names, so CloudFormation keeps the keys
    for name in ("KeysTokens", "KeysBundler"):
        assert {name} <= keys(first).keys()
        assert {name, f"{name}2"} <= keys(second).keys()
        assert {name, f"{name}2", f"{name}3"} <= keys(third).keys()
        assert name not in keys(fourth)
    # And what the code of before uses is still exported when the data's stack is the next one
    for number in (1, 2, 3):
        _, imports = shared(tmp_path / str(number))
        exports, _ = shared(tmp_path / str(number + 1))
        assert imports
        assert imports <= exports


def test_functions_check_tokens_by_both_keys_and_make_them_by_the_new_one(tmp_path: Path) -> None:
    templates = built(tmp_path, "tokens=2")
    users: dict[str, set[str]] = {}
    for function in templates.functions().values():
        for resource, actions in templates.privileges(function["Properties"]["Role"]).items():
            if "KeysTokens" in resource:
                users.setdefault(resource, set()).update(actions)
    assert users == {
        "KeysTokens2.Arn": {"kms:GenerateMac", "kms:VerifyMac"},
        "KeysTokens.Arn": {"kms:VerifyMac"},
    }
    variables = templates.functions()["api_auth"]["Properties"]["Environment"]["Variables"]
    assert templates.readable(variables["TASK_ENGINE_TOKEN_KEY"]) == "KeysTokens2"
    assert templates.readable(variables["TASK_ENGINE_EARLIER_TOKEN_KEY"]) == "KeysTokens"


@pytest.mark.parametrize("text", ["tokens", "tokens=0", "tokens=x", "secrets=2", "=2"])
def test_a_generation_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="KEY_GENERATIONS"):
        stage_config("dev", {"TASK_ENGINE_KEY_GENERATIONS": text})
