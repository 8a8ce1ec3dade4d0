"""The operator's key: in a file, in a variable, or in KMS, which needs boto3."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from task_engine.errors import Unavailable
from task_engine.evm.signer import KmsSigner, LocalSigner, Signer

from task_engine_operator.config import ConfigError, KeyConfig

_KEY = re.compile(r"(?:0x)?[0-9a-fA-F]{64}")


def signer_of(config: KeyConfig, environ: Mapping[str, str] = os.environ) -> Signer:
    """Whoever signs with that key; raises ConfigError."""
    if config.kms:
        return _kms(config)
    text = _of_file(Path(config.file)) if config.file else environ.get(config.env, "")
    if not text:
        raise ConfigError([f"the environment variable {config.env} is not set"])
    if not _KEY.fullmatch(text.strip()):
        where = config.file or config.env
        raise ConfigError([f"{where} must hold a private key: 64 hexadecimal digits"])
    try:
        return LocalSigner(text.strip())
    except ValueError as error:
        raise ConfigError(["the private key is none of the curve"]) from error


def _of_file(path: Path) -> str:
    try:
        mode = path.stat().st_mode
        if mode & (stat.S_IRGRP | stat.S_IROTH):
            raise ConfigError([f"others can read {path}: chmod 600 it"])
        return path.read_text(encoding="utf-8") or " "
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError([f"the key file can't be read: {error}"]) from error


def _kms(config: KeyConfig) -> Signer:
    try:
        import boto3  # noqa: PLC0415 - only for keys in KMS
    except ImportError as error:
        raise ConfigError(["a key in KMS needs boto3: pip install boto3"]) from error
    client = boto3.client("kms", region_name=config.region or None)
    return KmsSigner(_BotoKeys(client), config.kms)


class _BotoKeys:
    """Implements KeyService with the credentials that boto3 finds."""

    def __init__(self, client: Any) -> None:  # noqa: ANN401 - boto3 makes its classes at run time
        self._client = client

    def public_key(self, key_id: str) -> bytes:
        answer = self._call("get_public_key", KeyId=key_id)
        return bytes(answer["PublicKey"])

    def sign(self, key_id: str, digest: bytes) -> bytes:
        answer = self._call(
            "sign",
            KeyId=key_id,
            Message=digest,
            MessageType="DIGEST",
            SigningAlgorithm="ECDSA_SHA_256",
        )
        return bytes(answer["Signature"])

    def _call(self, operation: str, **parameters: object) -> Any:  # noqa: ANN401 - as boto3 answers
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - with boto3

        try:
            return getattr(self._client, operation)(**parameters)
        except (BotoCoreError, ClientError) as error:
            raise Unavailable(f"KMS does not {operation.replace('_', ' ')}: {error}") from error
