"""Keys of KMS and leases on them, by the emulator."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from eth_account import Account
from task_engine.aws.delay_repository import DelayRepository
from task_engine.aws.failures import AwsError
from task_engine.aws.kms_keys import KmsKeys
from task_engine.aws.lease_repository import LeaseRepository
from task_engine.errors import ConfigurationError
from task_engine.evm.address import Address
from task_engine.evm.senders.ports import SenderBusy
from task_engine.evm.signer import KmsSigner
from task_engine.evm.transaction import Transaction, sign_transaction

from tests.integration.world import World, an_owner

HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0


@pytest.fixture
def signer(world: World) -> KmsSigner:
    made = world.boto.client("kms").create_key(KeySpec="ECC_SECG_P256K1", KeyUsage="SIGN_VERIFY")
    return KmsSigner(KmsKeys(world.client("kms")), made["KeyMetadata"]["KeyId"])


def test_signatures_of_kms_recover_to_its_address(world: World, signer: KmsSigner) -> None:
    for n in range(20):
        digest = hashlib.sha256(bytes([n])).digest()
        signature = signer.sign(digest)
        assert int.from_bytes(signature[32:64], "big") <= HALF_ORDER
        assert Account._recover_hash(digest, signature=signature) == signer.address
    assert world.operations() == ["Sign", "GetPublicKey", *["Sign"] * 19]


def test_a_transaction_of_kms_is_one_of_its_account(signer: KmsSigner) -> None:
    transaction = Transaction(1, 7, Address("0x" + "11" * 20), b"data", 30_000, 2_000, 1_000)
    signed = sign_transaction(transaction, signer)
    assert Account.recover_transaction(signed.raw) == signer.address


def test_a_key_of_another_kind_is_refused(world: World) -> None:
    made = world.boto.client("kms").create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
    with pytest.raises(ConfigurationError):
        _ = KmsSigner(KmsKeys(world.client("kms")), made["KeyMetadata"]["KeyId"]).address


def test_a_key_that_is_not_there_is_named_as_such(world: World) -> None:
    with pytest.raises(AwsError, match="NotFoundException"):
        KmsKeys(world.client("kms")).public_key("00000000-0000-0000-0000-000000000000")


@pytest.fixture
def leases(world: World) -> LeaseRepository:
    """Gives up at once."""
    return LeaseRepository(world.dynamo, world.settings, world.clock, patience_seconds=0)


def test_a_lease_excludes_others_until_its_block_ends(leases: LeaseRepository) -> None:
    name = f"key:{an_owner()}"
    with leases.hold(name, 30):
        with pytest.raises(SenderBusy) as caught, leases.hold(name, 30):
            pass
        with leases.hold(f"{name}:other", 30):
            pass
    assert (caught.value.stable_code, caught.value.retryable) == ("SENDER_BUSY", True)
    with leases.hold(name, 30):
        pass


def test_a_lease_is_given_back_when_its_block_fails(leases: LeaseRepository) -> None:
    name = f"key:{an_owner()}"
    with pytest.raises(ZeroDivisionError), leases.hold(name, 30):
        _ = 1 / 0
    with leases.hold(name, 30):
        pass


def test_a_dead_holder_loses_it_by_time_and_does_not_take_it_from_the_next(
    world: World, leases: LeaseRepository
) -> None:
    name = f"key:{an_owner()}"
    late = leases.hold(name, 30)
    late.__enter__()
    world.clock.forward(32_000)
    with leases.hold(name, 30):
        late.__exit__(None, None, None)
        with pytest.raises(SenderBusy), leases.hold(name, 30):
            pass


def test_a_taken_lease_is_waited_for(world: World) -> None:
    name = f"key:{an_owner()}"
    first = LeaseRepository(world.dynamo, world.settings, world.clock).hold(name, 30)
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            first.__exit__(None, None, None)

    first.__enter__()
    patient = LeaseRepository(world.dynamo, world.settings, world.clock, sleep=pause)
    with patient.hold(name, 30):
        assert len(pauses) == 3


def test_leases_can_not_be_held_without_their_table(world: World) -> None:
    settings = replace(world.settings, names={})
    with (
        pytest.raises(ConfigurationError),
        LeaseRepository(world.dynamo, settings, world.clock).hold("key", 30),
    ):
        pass


def test_a_delay_keeps_the_time_that_was_told_first(world: World) -> None:
    delays, name = DelayRepository(world.dynamo, world.settings), f"e#n#{an_owner()}"
    told = [delays.since(name, now) for now in (5_000, 9_000, 1_000)]
    assert told == [5_000, 5_000, 5_000]
    assert delays.since(f"{name}1", 9_000) == 9_000
