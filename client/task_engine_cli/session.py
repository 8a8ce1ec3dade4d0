"""What each command has at hand: the client, the two consoles, and the end of every failure."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import typer
from rich.console import Console, RenderableType

from task_engine_cli.failures import ExitCode, InputError, RunFailed
from task_engine_cli.keys import KeySource
from task_engine_cli.problems import as_document, as_lines
from task_engine_cli.settings import Settings, effective_settings, store_settings
from task_engine_client import (
    ApiError,
    Client,
    SignInUnavailable,
    TaskEngineError,
    Unreachable,
    WaitTimeout,
)
from task_engine_client.document import Json


class Session:
    """One command's way to the API and to the terminal."""

    def __init__(self, settings: Settings, *, as_json: bool) -> None:
        self.settings = settings
        self.as_json = as_json
        self.console = Console(highlight=False)
        self.errors = Console(stderr=True, highlight=False)
        self._client: Client | None = None

    @property
    def client(self) -> Client:
        """The signed-in client; raises InputError without an address or a token."""
        if self._client is None:
            if not self.settings.url:
                raise InputError("no API is known: task-engine login --url URL --key-file FILE")
            if not self.settings.token:
                raise InputError("not signed in: task-engine login --key-file FILE")
            self._client = Client(self.settings.url, self.settings.token, renew=self._renew)
        return self._client

    def close(self) -> None:
        """Give the client's connections back."""
        if self._client is not None:
            self._client.close()

    def default_wallet(self) -> str:
        """The chosen wallet, else the owner's first."""
        if self.settings.wallet:
            return self.settings.wallet
        wallets = [wallet for wallet in self.client.wallets.list() if not wallet.hidden]
        if not wallets:
            raise InputError("there is no wallet: task-engine wallets --create 0")
        return wallets[0].address

    def show(self, document: Json, view: Callable[[], RenderableType | None]) -> None:
        """Print a result: the document under `--json`, else what `view` makes of it."""
        if self.as_json:
            self.print_json(document)
            return
        shown = view()
        if shown is not None:
            self.console.print(shown)

    def print_json(self, document: Json, *, one_line: bool = False) -> None:
        """A document on standard output, without colours or line breaks of a terminal."""
        indent = None if one_line else 2
        sys.stdout.write(json.dumps(document, indent=indent, ensure_ascii=False) + "\n")
        sys.stdout.flush()

    def say(self, text: str) -> None:
        """A remark for people, not for scripts."""
        if not self.as_json:
            self.console.print(text, markup=False, soft_wrap=True)

    def _renew(self) -> str:
        """A new token by the key that `login` was given, "" without one."""
        key = KeySource(self.settings.key_file, self.settings.key_env)
        if not key.known:
            return ""
        self.settings = sign_in(self.settings, key)
        return self.settings.token


def sign_in(settings: Settings, key: KeySource) -> Settings:
    """Sign in at the settings' address and remember the session."""
    with Client(settings.url) as client:
        token = client.auth.sign_in(key.read(), chain_id=settings.chain_id)
    signed = replace(
        settings,
        token=token.token,
        expires_at=token.expires_at,
        owner=token.subject,
        key_file=key.file,
        key_env=key.variable,
    )
    store_settings(signed)
    return signed


@contextmanager
def session(as_json: bool, settings: Settings | None = None) -> Iterator[Session]:
    """A session whose failures end the command with a readable text and the right exit code."""
    here: Session | None = None
    try:
        here = Session(settings or effective_settings(), as_json=as_json)
        yield here
    except RunFailed:
        raise typer.Exit(ExitCode.RUN_FAILED) from None
    except (InputError, TaskEngineError) as error:
        _report(error, as_json=as_json)
        raise typer.Exit(_exit_code(error)) from error
    except KeyboardInterrupt:
        raise typer.Exit(ExitCode.INTERRUPTED) from None
    except BrokenPipeError:
        _silence_output()
        raise typer.Exit(ExitCode.OK) from None
    finally:
        if here is not None:
            here.close()


def _exit_code(error: Exception) -> ExitCode:
    match error:
        case ApiError():
            return ExitCode.REFUSED
        case Unreachable():
            return ExitCode.UNREACHABLE
        case WaitTimeout():
            return ExitCode.RUN_FAILED
        case InputError() | SignInUnavailable():
            return ExitCode.USAGE
    return ExitCode.RUN_FAILED


def _report(error: Exception, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(as_document(error), ensure_ascii=False), err=True)
        return
    console = Console(stderr=True, highlight=False)
    for line in as_lines(error):
        console.print(line, soft_wrap=True)


def _silence_output() -> None:
    """The reader went away: nothing more can be said, not even at exit."""
    sys.stdout = open("/dev/null", "w", encoding="utf-8")  # noqa: SIM115 lives until the end
