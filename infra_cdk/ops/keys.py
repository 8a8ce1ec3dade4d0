"""The deployment's keys: which there are, and what hangs on them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError
from task_engine.aws.dynamo import Update
from task_engine.aws.items import from_item
from task_engine.aws.kms_keys import KmsKeys
from task_engine.aws.secret_reader import secret_context
from task_engine.aws.vault import Vault
from task_engine.errors import ConditionFailed
from task_engine.evm.signer import KmsSigner

from infra_cdk.ops.deployment import OpsError
from infra_cdk.ops.engine import Engine

SIGNING = ("Controller", "Bundler", "Paymaster", "Operator")
_EARLIER = "Earlier"


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """A key: what it is for, its state, whether KMS rotates it, its address on chains."""

    name: str
    id: str
    state: str
    rotates: bool
    address: str


def keys(engine: Engine) -> list[KeyInfo]:
    """Every key of the deployment; earlier ones too."""
    ends = "KeyId"
    found = [name for name in sorted(engine.deployment.outputs) if name.endswith(ends)]
    return [_info(engine, name.removesuffix(ends)) for name in found]


def _info(engine: Engine, name: str) -> KeyInfo:
    key_id = engine.deployment.output(f"{name}KeyId")
    kms = engine.deployment.client("kms")
    state = kms.describe_key(KeyId=key_id)["KeyMetadata"]["KeyState"]
    try:
        rotates = bool(kms.get_key_rotation_status(KeyId=key_id)["KeyRotationEnabled"])
    except ClientError:
        # KMS rotates symmetric keys for encryption alone.
        rotates = False
    signs = name.removeprefix(_EARLIER).startswith(SIGNING)
    return KeyInfo(name, key_id, state, rotates, address(engine, name) if signs else "")


def address(engine: Engine, name: str) -> str:
    """The address of a signing key, e.g. `Bundler`; raises OpsError when there is none."""
    key_id = engine.deployment.output(f"{name}KeyId")
    return str(KmsSigner(KmsKeys(engine.client("kms")), key_id).address)


@dataclass(frozen=True, slots=True)
class GrantInfo:
    """A policy in force, and whether the present controller is who it was given to."""

    owner: str
    wallet: str
    chain_id: int
    id: str
    signer: str
    current: bool


def grants(engine: Engine) -> Iterator[GrantInfo]:
    """Active policies of all owners; those of an earlier controller have to be given anew."""
    controller = address(engine, "Controller").lower()
    now_ms = engine.clock.now_ms()
    for item in engine.scan(engine.deployment.tables()["wallets"]):
        row = from_item(item)
        if not str(row["sk"]).startswith("policy#") or row["status"] != "active":
            continue
        if 0 < int(row["validUntil"]) <= now_ms:
            continue
        yield GrantInfo(
            owner=str(row["owner"]),
            wallet=str(row["wallet"]),
            chain_id=int(row["chainId"]),
            id=str(row["id"]),
            signer=str(row["signer"]),
            current=str(row["signer"]).lower() == controller,
        )


def reencrypt(engine: Engine, *, dry_run: bool) -> tuple[int, int]:
    """Encrypt every secret anew, by the newest material of the deployment's present key.

    Returns how many were, and how many were changed by their owner meanwhile and left alone (which
    encrypted them by the present key already). A value is in this process's memory for a moment.
    """
    table = engine.deployment.tables()["secrets"]
    reading = Vault(engine.client("kms"), "")
    writing = Vault(engine.client("kms"), engine.deployment.output("SecretsKeyId"))
    done = passed = 0
    for item in engine.scan(table):
        row = from_item(item)
        if dry_run or _reencrypt_one(engine, table, row, (reading, writing)):
            done += 1
        else:
            passed += 1
    return done, passed


def _reencrypt_one(
    engine: Engine, table: str, row: dict[str, Any], vaults: tuple[Vault, Vault]
) -> bool:
    reading, writing = vaults
    owner, key = str(row["owner"]), str(row["sk"])
    context = secret_context(owner, key, key.rpartition("#")[2])
    before: bytes = row["ciphertext"]
    update = Update(
        table,
        {"owner": owner, "sk": key},
        "SET #ciphertext = :after",
        {"after": writing.encrypt(reading.decrypt(before, context), context), "before": before},
        "#ciphertext = :before",
    )
    try:
        engine.dynamo.update(update)
    except ConditionFailed:
        return False
    return True


def required_key(engine: Engine, name: str) -> str:
    """The id of a key; raises OpsError where the deployment has none."""
    if f"{name}KeyId" not in engine.deployment.outputs:
        raise OpsError(f"stage {engine.deployment.stage} has no {name} key")
    return engine.deployment.output(f"{name}KeyId")
