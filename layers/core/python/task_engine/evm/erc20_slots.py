"""Where a token keeps balances and allowances: found out, not guessed."""

from __future__ import annotations

from collections.abc import Sequence

from task_engine.errors import NodeError
from task_engine.evm.address import keccak256
from task_engine.evm.erc20 import allowance, balance_of
from task_engine.evm.eth_call import eth_call
from task_engine.evm.failures import RpcError
from task_engine.evm.ports import RpcPort
from task_engine.evm.simulated import Erc20Override, StateOverride, merged
from task_engine.model.json_value import JsonValue

_MAX_CANDIDATES = 100
# No balance looks like it by chance, and it leaves the bits free that tokens use for flags.
_MARK = 0x5EED0FBA1A9CE


def erc20_state(rpc: RpcPort, overrides: Sequence[Erc20Override], block: str) -> StateOverride:
    """The override of storage that gives every holder what was asked for.

    Without a slot, an access list of the token's own getter names the storage it reads (EIP-2930),
    and the one that decides the answer is found by trying. Raises NodeError SIMULATION_ERROR when
    none does, RpcError when the node can't be asked.
    """
    state: StateOverride = {}
    for given in overrides:
        if given.balance is not None:
            slot = given.balance_slot
            key = None if slot is None else _of_mapping(given.owner, _word(slot))
            call = balance_of(given.owner)
            state = merged(state, _placed(rpc, given.token, (call, key, given.balance), block))
        if given.allowance is not None:
            slot = given.allowance_slot
            owners = None if slot is None else _of_mapping(given.owner, _word(slot))
            key = None if owners is None else _of_mapping(given.spender, owners)
            call = allowance(given.owner, given.spender)
            state = merged(state, _placed(rpc, given.token, (call, key, given.allowance), block))
    return state


def _placed(
    rpc: RpcPort, token: str, wanted: tuple[bytes, bytes | None, int], block: str
) -> StateOverride:
    call, key, value = wanted
    if key is not None:
        return _override(token, "0x" + key.hex(), value)
    candidates = _candidates(rpc, token, call, block)
    tries = [
        eth_call(token, call, block=block, overrides=_json(_override(at, slot, _MARK)))
        for at, slot in candidates
    ]
    answers = rpc.batch(tries) if tries else []
    for (at, slot), answer in zip(candidates, answers, strict=True):
        if isinstance(answer, str) and answer[2:66] == _word(_MARK).hex():
            return _override(at, slot, value)
    raise NodeError(
        f"erc20Overrides: the storage of the token {token} can't be found; give balanceSlot or "
        "allowanceSlot",
        code="SIMULATION_ERROR",
    )


def _candidates(rpc: RpcPort, token: str, call: bytes, block: str) -> list[tuple[str, str]]:
    """Address and slot of everything that the getter reads."""
    request: dict[str, JsonValue] = {"to": token, "data": "0x" + call.hex()}
    [answer] = rpc.batch([("eth_createAccessList", [request, block])])
    if isinstance(answer, RpcError):
        raise answer
    listed = answer.get("accessList") if isinstance(answer, dict) else None
    found: list[tuple[str, str]] = []
    for account in listed if isinstance(listed, list) else ():
        told = account if isinstance(account, dict) else {}
        keys = told.get("storageKeys")
        found += [(str(told["address"]), str(k)) for k in keys] if isinstance(keys, list) else []
    return found[:_MAX_CANDIDATES]


def _override(address: str, slot: str, value: int) -> StateOverride:
    return {address.lower(): {"stateDiff": {slot: "0x" + _word(value).hex()}}}


def _of_mapping(key: str, slot: bytes) -> bytes:
    """Where a mapping at `slot` keeps an address's value.

    https://docs.soliditylang.org/en/latest/internals/layout_in_storage.html
    """
    return keccak256(bytes.fromhex(key[2:]).rjust(32, b"\x00") + slot)


def _word(value: int) -> bytes:
    return value.to_bytes(32, "big")


def _json(override: StateOverride) -> JsonValue:
    return {address: dict(account) for address, account in override.items()}
