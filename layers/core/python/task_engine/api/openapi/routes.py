"""The routes, asked of the applications themselves."""

from __future__ import annotations

import inspect
import pkgutil
from collections.abc import Iterator
from importlib import import_module
from typing import Any

from task_engine import api
from task_engine.api.application import Application, Gate, Route


def all_routes() -> list[Route]:
    """Every route of every module of the API that builds an application."""
    return [route for application in _applications() for route in application.routes]


class _Nothing:
    """Stands for whatever routes are built over."""

    def __getattr__(self, _: str) -> None:
        return None


def _applications() -> Iterator[Application]:
    for module in pkgutil.iter_modules(api.__path__):
        build = getattr(import_module(f"{api.__name__}.{module.name}"), "build_app", None)
        if build is not None:
            # Routes are added before anything is used that they are given.
            nothing: Any = _Nothing()
            given = dict.fromkeys(inspect.signature(build).parameters, nothing)
            yield build(**{**given, "gate": Gate(nothing, nothing)})
