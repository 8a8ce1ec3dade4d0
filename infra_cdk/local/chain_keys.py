"""Money for the deployment's own keys on the development chains, and their sponsor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from task_engine.evm.address import Address
from task_engine.evm.signer import KmsSigner

from infra_cdk.local.aws import LocalAws
from infra_cdk.local.contracts import DevelopmentNode, deposit_for, install_paymaster
from infra_cdk.local.settings import PAYMASTER, SPONSORED_CHAIN

_ETHER = 10**18
_PURSE = 1_000 * _ETHER


class _Keys:
    """The emulator's KMS, as the signers want it."""

    def __init__(self, aws: LocalAws) -> None:
        self._kms = aws.client("kms")

    def public_key(self, key_id: str) -> bytes:
        return bytes(self._kms.get_public_key(KeyId=key_id)["PublicKey"])

    def sign(self, key_id: str, digest: bytes) -> bytes:
        answer = self._kms.sign(
            KeyId=key_id,
            Message=digest,
            MessageType="DIGEST",
            SigningAlgorithm="ECDSA_SHA_256",
        )
        return bytes(answer["Signature"])


def provide_for_keys(
    aws: LocalAws, outputs: Mapping[str, Mapping[str, str]], chains: Mapping[int, str]
) -> None:
    """Give the sending account money on every chain of ours, and the sponsored one its paymaster.

    Nothing where the deployment has no keys. Raises StageError.
    """
    names = {name: value for stack in outputs.values() for name, value in stack.items()}
    if "BundlerKeyId" not in names:
        return
    keys = _Keys(aws)
    bundler = KmsSigner(keys, names["BundlerKeyId"]).address
    for url in chains.values():
        DevelopmentNode(url).call("anvil_setBalance", bundler, hex(_PURSE))
    if SPONSORED_CHAIN in chains and "PaymasterKeyId" in names:
        patron = KmsSigner(keys, names["PaymasterKeyId"]).address
        _place_paymaster(chains[SPONSORED_CHAIN], patron)


def _place_paymaster(url: str, patron: Address) -> None:
    """Where the stacks say that it is: before its key was there nobody knew its real address."""
    node = DevelopmentNode(url)
    made: Any = node.call("eth_getCode", install_paymaster(url, patron, 0), "latest")
    node.call("anvil_setCode", PAYMASTER, made)
    deposit_for(url, Address(PAYMASTER), _PURSE)
