"""erc20Overrides on the wire: balances and allowances that a simulation takes for granted."""

from __future__ import annotations

import re

from task_engine.api.request_body import Fields
from task_engine.evm.simulated import Erc20Override
from task_engine.model.json_value import JsonValue

_BAD = "NODES_BAD_REQUEST"
_ADDRESS = re.compile(r"0[xX][0-9a-fA-F]{40}")
_AMOUNT = re.compile(r"[0-9]{1,78}|0[xX][0-9a-fA-F]{1,64}")
_ADDRESSES = ("tokenAddress", "ownerAddress", "spenderAddress")
_AMOUNTS = ("balance", "allowance")
_SLOTS = ("balanceSlot", "allowanceSlot")
_MOST = 50


def erc20_overrides(fields: Fields) -> tuple[Erc20Override, ...]:
    """Those of a request; what is wrong with them is added to its problems."""
    given = fields.anything("erc20Overrides")
    if given is None:
        return ()
    if not isinstance(given, list) or len(given) > _MOST:
        fields.refuse("erc20Overrides", f"must be a list of at most {_MOST}", _BAD)
        return ()
    found = [_override(fields, f"erc20Overrides[{at}]", item) for at, item in enumerate(given)]
    return tuple(override for override in found if override is not None)


def _override(fields: Fields, path: str, item: JsonValue) -> Erc20Override | None:
    if not isinstance(item, dict):
        fields.refuse(path, "must be an object", _BAD)
        return None
    wrong = dict.fromkeys(item.keys() - _known(), "is not a field of an override")
    for name in _ADDRESSES:
        value = item.get(name)
        required = name != "spenderAddress"
        if (value is not None or required) and not _matches(_ADDRESS, value):
            wrong[name] = "must be an address"
    for name in _AMOUNTS:
        if item.get(name) is not None and not _matches(_AMOUNT, item[name]):
            wrong[name] = "must be base units as a decimal text"
    for name in _SLOTS:
        slot = item.get(name)
        if slot is not None and (not isinstance(slot, int) or isinstance(slot, bool) or slot < 0):
            wrong[name] = "must be a whole number of at least 0"
    if item.get("allowance") is not None and not item.get("spenderAddress"):
        wrong["spenderAddress"] = "is required with allowance"
    for name, text in wrong.items():
        fields.refuse(f"{path}.{name}", text, _BAD)
    if wrong:
        return None
    return Erc20Override(
        token=str(item["tokenAddress"]),
        owner=str(item["ownerAddress"]),
        spender=str(item.get("spenderAddress") or ""),
        balance=_number(item.get("balance")),
        allowance=_number(item.get("allowance")),
        balance_slot=_slot(item.get("balanceSlot")),
        allowance_slot=_slot(item.get("allowanceSlot")),
    )


def _known() -> set[str]:
    return {*_ADDRESSES, *_AMOUNTS, *_SLOTS}


def _matches(form: re.Pattern[str], value: JsonValue) -> bool:
    return isinstance(value, str) and form.fullmatch(value) is not None


def _number(value: JsonValue) -> int | None:
    text = value if isinstance(value, str) else ""
    if not text:
        return None
    return int(text, 16 if text[:2] in ("0x", "0X") else 10)


def _slot(value: JsonValue) -> int | None:
    return value if isinstance(value, int) else None
