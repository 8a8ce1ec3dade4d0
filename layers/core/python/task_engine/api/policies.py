"""Routes of session policies."""

from __future__ import annotations

import re
from dataclasses import replace

from task_engine.api.access import Access
from task_engine.api.application import Application
from task_engine.api.chain_query import chain_id_of
from task_engine.api.http import Reply, Request
from task_engine.api.request_body import Fields, json_object
from task_engine.errors import InvalidRequest, Problem
from task_engine.model.grant import Grant, GrantStatus, Permission, SpendCap
from task_engine.model.json_value import JsonValue
from task_engine.services.policies import Cleanup, PolicyRequest, PolicyService, SignedPolicy

_BAD = "POLICIES_BAD_REQUEST"
_ADDRESS = re.compile(r"0[xX][0-9a-fA-F]{40}")
_SELECTOR = re.compile(r"0[xX][0-9a-fA-F]{8}")
_POLICY_ID = re.compile(r"0[xX][0-9a-fA-F]{64}")
_SIGNATURE = re.compile(r"0[xX][0-9a-fA-F]{130}")
_AMOUNT = re.compile(r"[0-9]{1,78}")
_MAX_ACTIONS = 64
_LAST_SECOND = 2**48 - 1


class Policies:
    """Endpoints over the use cases."""

    def __init__(self, policies: PolicyService) -> None:
        self._policies = policies

    def prepare(self, request: Request) -> Reply:
        """POST /wallets/{address}/policies:prepare"""
        fields = Fields(json_object(request.body))
        wanted = _policy(fields)
        seconds = fields.integer("expiresInSeconds")
        if not 60 <= seconds <= 10 * 365 * 86_400:
            fields.refuse("expiresInSeconds", "must be a whole number from 60 to ten years", _BAD)
        fields.finish()
        asked = replace(wanted, seconds=seconds)
        owner = request.principal.owner
        found = self._policies.prepare(owner, _wallet(request), asked)
        grant = found.grant
        return Reply(
            200,
            {
                "policyId": grant.id,
                "chainId": grant.chain_id,
                "entityId": grant.entity_id,
                "sessionSigner": grant.signer,
                "deadline": found.deadline,
                "validUntil": grant.valid_until * 1000,
                "gasCap": str(grant.gas_cap),
                "digest": found.digest,
                "typedData": dict(found.typed_data),
            },
        )

    def submit(self, request: Request) -> Reply:
        """POST /wallets/{address}/policies:submit"""
        fields = Fields(json_object(request.body))
        wanted = _policy(fields)
        signed = SignedPolicy(
            request=wanted,
            policy_id=_matching(fields, "policyId", _POLICY_ID, "0x and 64 hexadecimal digits"),
            entity_id=fields.integer("entityId", least=1),
            deadline=fields.integer("deadline", least=1),
            valid_until=min(fields.integer("validUntil", least=1) // 1000, _LAST_SECOND),
            signature=_matching(fields, "signature", _SIGNATURE, "65 bytes as 0x-hexadecimal"),
        )
        fields.finish()
        owner = request.principal.owner
        grant, superseded = self._policies.submit(owner, _wallet(request), signed)
        return Reply(201, {**policy_json(grant), "supersededPolicyIds": list(superseded)})

    def list(self, request: Request) -> Reply:
        """GET /wallets/{address}/policies"""
        chain_id = chain_id_of(request, "POLICIES_BAD_CHAIN_ID")
        owner = request.principal.owner
        found = self._policies.list_policies(owner, chain_id, _wallet(request))
        return Reply(200, {"items": [self._json(grant) for grant in found]})

    def get(self, request: Request) -> Reply:
        """GET /wallets/{address}/policies/{policyId}"""
        chain_id = chain_id_of(request, "POLICIES_BAD_CHAIN_ID")
        owner, policy_id = request.principal.owner, request.path["policyId"]
        grant = self._policies.get_policy(owner, chain_id, _wallet(request), policy_id)
        return Reply(200, self._json(grant))

    def revoke(self, request: Request) -> Reply:
        """DELETE /wallets/{address}/policies/{policyId}"""
        chain_id = chain_id_of(request, "POLICIES_BAD_CHAIN_ID")
        owner, policy_id = request.principal.owner, request.path["policyId"]
        _, cleanup = self._policies.revoke(owner, chain_id, _wallet(request), policy_id)
        found: dict[str, JsonValue] = {
            "status": "revoked",
            "onChainCleanupRequired": cleanup is not None,
        }
        if cleanup is not None:
            found["onChainCleanup"] = cleanup_json(cleanup)
        return Reply(200, found)

    def _json(self, grant: Grant) -> dict[str, JsonValue]:
        cleanup = self._policies.cleanup(grant)
        return policy_json(grant) | ({"onChainCleanup": cleanup_json(cleanup)} if cleanup else {})


def policy_json(grant: Grant) -> dict[str, JsonValue]:
    """A SessionPolicy without its clean-up call."""
    found: dict[str, JsonValue] = {
        "id": grant.id,
        "runner": grant.wallet,
        "chainId": grant.chain_id,
        "status": GrantStatus(grant.status).value,
        "entityId": grant.entity_id,
        "sessionSigner": grant.signer,
        "agentLabel": grant.agent_label,
        "validUntil": grant.valid_until * 1000,
        "createdAt": grant.created_at,
        "allowedActions": _actions_json(grant),
    }
    if grant.justification:
        found["justification"] = grant.justification
    if grant.erc20_cap is not None:
        cap = grant.erc20_cap
        found["erc20SpendCap"] = {"token": cap.token, "amount": str(cap.amount)}
    if grant.gas_cap is not None:
        found["gasCap"] = str(grant.gas_cap)
    return found


def cleanup_json(cleanup: Cleanup) -> dict[str, JsonValue]:
    """The call that ends a policy on chain."""
    return {
        "entityId": cleanup.grant.entity_id,
        "target": cleanup.target,
        "callData": cleanup.call_data,
        "chainId": cleanup.grant.chain_id,
    }


def _actions_json(grant: Grant) -> list[JsonValue]:
    """Permissions as they were asked for: those of one target and value together."""
    found: dict[tuple[str, int], list[JsonValue]] = {}
    for permission in grant.permissions:
        key = (permission.target, permission.max_value)
        found.setdefault(key, []).append(permission.selector)
    actions: list[JsonValue] = []
    for (target, value), selectors in found.items():
        action: dict[str, JsonValue] = {"target": target, "selectors": selectors}
        if value:
            action["maxValue"] = str(value)
        actions.append(action)
    return actions


def _policy(fields: Fields) -> PolicyRequest:
    """The fields that preparing and submitting share."""
    label = fields.text("agentLabel", required=True)
    if len(label) > 120:
        fields.refuse("agentLabel", "has at most 120 characters", _BAD)
    justification = fields.text("justification")
    if len(justification) > 500:
        fields.refuse("justification", "has at most 500 characters", _BAD)
    chain_id = fields.integer("chainId", least=1)
    if not chain_id:
        fields.refuse("chainId", "is required: a positive whole number", "MISSING_REQUIRED_FIELD")
    return PolicyRequest(
        chain_id=chain_id,
        agent_label=label,
        permissions=tuple(_permissions(fields)),
        cap=_cap(fields),
        justification=justification,
        gas_cap=_gas_cap(fields),
    )


def _permissions(fields: Fields) -> list[Permission]:
    given = fields.anything("allowedActions")
    if not isinstance(given, list) or not given:
        fields.refuse("allowedActions", "is required: at least one action", _BAD)
        return []
    if len(given) > _MAX_ACTIONS:
        fields.refuse("allowedActions", f"has at most {_MAX_ACTIONS} actions", _BAD)
        return []
    return [
        permission
        for place, action in enumerate(given)
        for permission in _of_action(fields, f"allowedActions[{place}]", action)
    ]


def _of_action(fields: Fields, path: str, action: JsonValue) -> list[Permission]:
    if not isinstance(action, dict):
        fields.refuse(path, "must be an object with target and selectors", _BAD)
        return []
    for name in action.keys() - {"target", "selectors", "maxValue"}:
        fields.refuse(f"{path}.{name}", "is not a field of an action", _BAD)
    target, selectors = action.get("target"), action.get("selectors")
    value = action.get("maxValue", "0")
    if not isinstance(target, str) or _ADDRESS.fullmatch(target) is None:
        fields.refuse(f"{path}.target", "must be an address", _BAD)
        return []
    if not isinstance(value, str) or not _fits(value):
        fields.refuse(f"{path}.maxValue", "must be wei as a decimal text", _BAD)
        return []
    if not isinstance(selectors, list) or not 0 < len(selectors) <= _MAX_ACTIONS:
        fields.refuse(f"{path}.selectors", f"must be 1 to {_MAX_ACTIONS} selectors", _BAD)
        return []
    found = []
    for place, selector in enumerate(selectors):
        if isinstance(selector, str) and _SELECTOR.fullmatch(selector):
            found.append(Permission(_checked(target), selector.lower(), int(value)))
        else:
            text = "must be 4 bytes as 0x-hexadecimal (0x00000000: a plain transfer)"
            fields.refuse(f"{path}.selectors[{place}]", text, _BAD)
    return found


def _cap(fields: Fields) -> SpendCap:
    cap = fields.mapping("erc20SpendCap")
    token, amount = cap.get("token"), cap.get("amount")
    if not isinstance(token, str) or _ADDRESS.fullmatch(token) is None:
        fields.refuse("erc20SpendCap.token", "is required: an address", _BAD)
        token = ""
    if not isinstance(amount, str) or not _fits(amount):
        text = "is required: the token's smallest units as a decimal text"
        fields.refuse("erc20SpendCap.amount", text, _BAD)
        amount = "0"
    for name in cap.keys() - {"token", "amount"}:
        fields.refuse(f"erc20SpendCap.{name}", "is not a field of a cap", _BAD)
    return SpendCap(_checked(token) if token else "", int(amount))


def _gas_cap(fields: Fields) -> int | None:
    """In wei; None when it is left to the stage."""
    text = fields.text("gasCap")
    if not text:
        return None
    if not _fits(text):
        fields.refuse("gasCap", "must be wei as a decimal text", _BAD)
        return None
    return int(text)


def _matching(fields: Fields, name: str, form: re.Pattern[str], told: str) -> str:
    value = fields.text(name, required=True)
    if value and form.fullmatch(value) is None:
        fields.refuse(name, f"must be {told}", _BAD)
    return value


def _fits(text: str) -> bool:
    return _AMOUNT.fullmatch(text) is not None and int(text) < 2**256


def _checked(text: str) -> str:
    from task_engine.evm.address import Address  # noqa: PLC0415 - loads Keccak

    return Address(text)


def _wallet(request: Request) -> str:
    address = request.path["address"]
    if _ADDRESS.fullmatch(address) is None:
        problem = Problem("WALLETS_BAD_ADDRESS", "address", "must be an address")
        raise InvalidRequest("the wallet's address is malformed", (problem,), code=problem.code)
    return address


def add_routes(app: Application, policies: PolicyService) -> None:
    """All routes below /wallets/{address}/policies. Only the owner signs: partners are refused."""
    on, alone = Policies(policies), Access.OWNER_ALONE
    app.add("POST", "/wallets/<address>/policies:prepare", on.prepare, access=alone)
    app.add("POST", "/wallets/<address>/policies:submit", on.submit, access=alone)
    app.add("GET", "/wallets/<address>/policies", on.list, access=alone)
    app.add("GET", "/wallets/<address>/policies/<policyId>", on.get, access=alone)
    app.add("DELETE", "/wallets/<address>/policies/<policyId>", on.revoke, access=alone)
