"""Session policies: what owners allow the deployment's controller key to do with their wallets."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from task_engine.clock import Clock
from task_engine.config import Settings
from task_engine.errors import (
    Conflict,
    InvalidRequest,
    NotFound,
    NotImplementedHere,
    Problem,
    Unauthenticated,
)
from task_engine.model.grant import Grant, GrantStatus, Permission, SpendCap
from task_engine.model.json_value import JsonObject
from task_engine.model.wallet import Wallet
from task_engine.services.wallets import WalletService

SIGNING_SECONDS = 30 * 86_400


class Grants(Protocol):
    """Records of grants."""

    def of_wallet(self, owner: str, chain_id: int, wallet: str) -> list[Grant]:
        """Newest first, whatever their status."""

    def put(self, grant: Grant, supersedes: tuple[Grant, ...]) -> Grant:
        """Write it and mark those that it replaces as revoked, at once; raises Conflict when its
        entity was taken meanwhile."""

    def set_status(self, grant: Grant, status: GrantStatus) -> Grant:
        """Raises Conflict when the grant changed meanwhile."""


class GrantDesk(Protocol):
    """What the chain says about grants."""

    def controller(self) -> str:
        """The address that acts for owners; "" when the deployment has no such key."""

    def epoch(self, wallet: Wallet) -> int:
        """The wallet's present epoch, 0 before it is deployed; raises Unavailable."""

    def typed_data(self, wallet: Wallet, grant: Grant) -> JsonObject:
        """What the owner signs (EIP-712). Raises NotImplementedHere for a wallet without grants."""

    def digest(self, wallet: Wallet, grant: Grant) -> str:
        """Its digest as 0x-hex."""

    def signed_by(self, wallet: Wallet, grant: Grant) -> str:
        """The address that made the grant's signature; raises Unauthenticated."""

    def revocation(self, wallet: Wallet, grant: Grant) -> tuple[str, str]:
        """Target and call data with which the owner ends the grant on chain."""


@dataclass(frozen=True, slots=True)
class PolicyRequest:
    """What an owner wants to allow; `seconds` is how long it holds from now, `gas_cap` in wei over
    all operations that nobody sponsors, None = the stage's."""

    chain_id: int
    agent_label: str
    permissions: tuple[Permission, ...]
    cap: SpendCap
    seconds: int = 0
    justification: str = ""
    gas_cap: int | None = None


@dataclass(frozen=True, slots=True)
class SignedPolicy:
    """A prepared policy that comes back with its signature; `deadline` and `valid_until` are in
    seconds."""

    request: PolicyRequest
    policy_id: str
    entity_id: int
    deadline: int
    valid_until: int
    signature: str


@dataclass(frozen=True, slots=True)
class Prepared:
    """A policy to sign until `deadline` (seconds since the epoch)."""

    grant: Grant
    deadline: int
    digest: str
    typed_data: JsonObject


@dataclass(frozen=True, slots=True)
class Cleanup:
    """The call with which the owner ends a policy on chain."""

    grant: Grant
    target: str
    call_data: str


class PolicyService:
    """Prepares, takes, lists and revokes policies. A wallet has one active policy at most."""

    def __init__(
        self,
        wallets: WalletService,
        grants: Grants,
        desk: Callable[[], GrantDesk],
        settings: Settings,
        clock: Clock,
    ) -> None:
        self._wallets = wallets
        self._grants = grants
        self._desk = desk
        self._chains = settings.chains
        self._gas_cap = settings.limits.grant_gas_cap_wei
        self._clock = clock

    def prepare(self, owner: str, address: str, request: PolicyRequest) -> Prepared:
        """What the owner has to sign. Nothing is stored.

        Raises NotFound for a wallet that is not the owner's, InvalidRequest for an unknown chain,
        NotImplementedHere without a controller key, Unavailable when the chain can't be asked.
        """
        wallet = self._wallet(owner, request.chain_id, address)
        known = self._grants.of_wallet(owner, wallet.chain_id, wallet.address)
        now = self._clock.now_ms() // 1000
        grant = self._grant(
            wallet,
            request,
            ("0x" + os.urandom(32).hex(), max((each.entity_id for each in known), default=0) + 1),
            now + request.seconds,
        )
        desk = self._desk()
        typed = desk.typed_data(wallet, grant)
        return Prepared(grant, now + SIGNING_SECONDS, desk.digest(wallet, grant), typed)

    def submit(self, owner: str, address: str, signed: SignedPolicy) -> tuple[Grant, list[str]]:
        """The policy, active now, and the ids of those that it replaced.

        Raises as `prepare`; InvalidRequest too when the time to sign or to act is over or the
        signature is not the owner's, Conflict when the entity was taken meanwhile.
        """
        wallet = self._wallet(owner, signed.request.chain_id, address)
        self._check_times(signed)
        ids = (signed.policy_id, signed.entity_id)
        grant = self._grant(wallet, signed.request, ids, signed.valid_until)
        grant = replace(grant, signature=signed.signature)
        self._check_signature(wallet, grant)
        known = self._grants.of_wallet(owner, wallet.chain_id, wallet.address)
        if any(each.entity_id >= grant.entity_id for each in known):
            raise Conflict(
                "another policy was submitted meanwhile: prepare this one again",
                code="POLICIES_ENTITY_TAKEN",
            )
        replaced = tuple(each for each in known if each.status is not GrantStatus.REVOKED)
        grant = replace(grant, status=GrantStatus.ACTIVE)
        return self._grants.put(grant, replaced), [each.id for each in replaced]

    def list_policies(self, owner: str, chain_id: int, address: str) -> list[Grant]:
        """All of a wallet, newest first; raises NotFound for another owner's wallet."""
        wallet = self._wallet(owner, chain_id, address)
        return self._grants.of_wallet(owner, wallet.chain_id, wallet.address)

    def get_policy(self, owner: str, chain_id: int, address: str, policy_id: str) -> Grant:
        """Raises NotFound."""
        for grant in self.list_policies(owner, chain_id, address):
            if grant.id == policy_id.lower():
                return grant
        raise NotFound("no such policy", code="POLICIES_NOT_FOUND")

    def revoke(
        self, owner: str, chain_id: int, address: str, policy_id: str
    ) -> tuple[Grant, Cleanup | None]:
        """The engine stops using it at once. While the signed policy could still be used by whoever
        holds the controller's key, the call that ends it on chain comes too."""
        grant = self.get_policy(owner, chain_id, address, policy_id)
        if grant.status is not GrantStatus.REVOKED:
            grant = self._grants.set_status(grant, GrantStatus.REVOKED)
        return grant, self.cleanup(grant)

    def cleanup(self, grant: Grant) -> Cleanup | None:
        """The call that ends a revoked policy on chain; None where its time has ended it."""
        if grant.status is not GrantStatus.REVOKED:
            return None
        if grant.valid_until * 1000 <= self._clock.now_ms():
            return None
        wallet = self._wallet(grant.owner, grant.chain_id, grant.wallet)
        return Cleanup(grant, *self._desk().revocation(wallet, grant))

    def _wallet(self, owner: str, chain_id: int, address: str) -> Wallet:
        if chain_id not in self._chains:
            text = f"chain {chain_id} is not configured here"
            raise _bad("chainId", text, "POLICIES_BAD_CHAIN_ID")
        return self._wallets.require(owner, chain_id, address)

    def _grant(
        self, wallet: Wallet, request: PolicyRequest, ids: tuple[str, int], valid_until: int
    ) -> Grant:
        desk = self._desk()
        controller = desk.controller()
        if not controller:
            raise NotImplementedHere(
                "this deployment has no controller key, so nobody could use the policy"
            )
        return Grant(
            id=ids[0].lower(),
            owner=wallet.owner,
            wallet=wallet.address,
            chain_id=wallet.chain_id,
            entity_id=ids[1],
            signer=controller,
            valid_after=0,
            valid_until=valid_until,
            epoch=desk.epoch(wallet),
            permissions=request.permissions,
            erc20_cap=request.cap,
            # Without one, whoever holds the controller's key could burn all that the wallet has.
            gas_cap=self._gas_cap if request.gas_cap is None else request.gas_cap,
            agent_label=request.agent_label,
            justification=request.justification,
            created_at=self._clock.now_ms(),
        )

    def _check_signature(self, wallet: Wallet, grant: Grant) -> None:
        text = "is not the owner's signature of this policy as it was prepared"
        refusal = _bad("signature", text, "POLICIES_BAD_SIGNATURE")
        try:
            signer = self._desk().signed_by(wallet, grant)
        except Unauthenticated as error:
            raise refusal from error
        if signer != grant.owner:
            raise refusal

    def _check_times(self, signed: SignedPolicy) -> None:
        now = self._clock.now_ms() // 1000
        if signed.deadline <= now:
            text = "the time to sign this policy is over: prepare it again"
            raise _bad("deadline", text, "POLICIES_EXPIRED")
        if signed.deadline > now + SIGNING_SECONDS:
            raise _bad("deadline", "is later than a prepared policy's", "POLICIES_BAD_REQUEST")
        if signed.valid_until <= now:
            raise _bad("validUntil", "is over: prepare the policy again", "POLICIES_EXPIRED")


def _bad(path: str, text: str, code: str) -> InvalidRequest:
    return InvalidRequest(f"{path}: {text}", (Problem(code, path, text),), code=code)
