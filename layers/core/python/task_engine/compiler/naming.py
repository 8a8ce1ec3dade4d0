"""Names of triggers, nodes and variables."""

from __future__ import annotations

import re

from task_engine.model.node import variable_name

_IDENTIFIER = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")
_WORDS = """break case catch class const continue debugger default delete do else enum export
extends false finally for function if import in instanceof let new null return super switch this
throw true try typeof var void while with yield""".split()
_JAVASCRIPT = frozenset(
    spelled for word in _WORDS for spelled in (word, word.capitalize(), word.upper())
)
RESERVED = frozenset(
    """apContext settings context triggerConfig aa_sender aa_salt state console require crypto fetch
    readContractData priceChainlink chainlinkPrice latestRoundDataChainlink bigCmp bigGt bigLt
    parseUnit toBigInt globalThis undefined NaN Infinity""".split()
)
LONGEST = 255


def name_problem(name: str, *, trigger: bool = False) -> str | None:
    """Why a trigger or node can't have this name, with what to do; None when it can."""
    if len(name) > LONGEST:
        return f"may have {LONGEST} characters at most"
    if not _IDENTIFIER.fullmatch(name):
        return "must begin with a letter, _ or $ and go on with letters, digits, _ or $"
    return variable_problem(name) or variable_problem(variable_name(name), trigger=trigger)


def variable_problem(name: str, *, trigger: bool = True) -> str | None:
    """Why no variable can have this name; `trigger` says that `trigger` is allowed."""
    if name in _JAVASCRIPT:
        return "is a word of JavaScript: choose another name"
    if name in RESERVED or (name == "trigger" and not trigger):
        return "is a name of the engine's: choose another name"
    return None


def item_name_problem(name: str) -> str | None:
    """Why a loop's item or position can't have this name."""
    if len(name) > LONGEST or not _IDENTIFIER.fullmatch(name):
        return "must be a name: letters, digits, _ or $, no digit first"
    return variable_problem(name)
