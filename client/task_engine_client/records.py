"""The smaller documents: secrets, wallets, sessions, single runs, tokens, operators, health."""

from __future__ import annotations

from dataclasses import dataclass, field

from task_engine_client.document import Document, Json, flag, mapping, text, whole, wholes


@dataclass(frozen=True, slots=True)
class Secret:
    """A stored secret; its value is never told."""

    name: str
    scope: str
    workflow_id: str
    created_at: int | None
    updated_at: int | None
    raw: Document = field(repr=False)

    @classmethod
    def of(cls, document: Document) -> Secret:
        """The secret of a document."""
        return cls(
            name=text(document, "name"),
            scope=text(document, "scope"),
            workflow_id=text(document, "workflowId"),
            created_at=whole(document, "createdAt"),
            updated_at=whole(document, "updatedAt"),
            raw=document,
        )


@dataclass(frozen=True, slots=True)
class Wallet:
    """A smart wallet of the owner; `salt` is decimal."""

    address: str
    salt: str
    factory: str
    hidden: bool
    raw: Document = field(repr=False)

    @classmethod
    def of(cls, document: Document) -> Wallet:
        """The wallet of a document."""
        return cls(
            address=text(document, "address"),
            salt=text(document, "salt"),
            factory=text(document, "factoryAddress"),
            hidden=flag(document, "isHidden"),
            raw=document,
        )


@dataclass(frozen=True, slots=True)
class RunResult:
    """What running one node or trigger gave; failures of the node are `success=False`."""

    success: bool
    output: Json
    metadata: Json
    error: str
    error_code: str
    raw: Document = field(repr=False)

    @classmethod
    def of(cls, document: Document) -> RunResult:
        """The result of a document."""
        return cls(
            success=flag(document, "success"),
            output=document.get("output"),
            metadata=document.get("metadata"),
            error=text(document, "error"),
            error_code=text(document, "errorCode"),
            raw=document,
        )

    @property
    def data(self) -> Json:
        """The output's `data`; None when there is none."""
        return mapping(self.raw, "output").get("data")


@dataclass(frozen=True, slots=True)
class Token:
    """A session: `expires_at` is RFC 3339, `subject` the owner's checksummed address."""

    token: str = field(repr=False)
    expires_at: str
    subject: str

    @classmethod
    def of(cls, document: Document) -> Token:
        """The token of a document."""
        return cls(
            token=text(document, "token"),
            expires_at=text(document, "expiresAt"),
            subject=text(document, "subject"),
        )


@dataclass(frozen=True, slots=True)
class Health:
    """Whether the service answers, and its version."""

    status: str
    version: str
    chain_id: int | None

    @classmethod
    def of(cls, document: Document) -> Health:
        """The health of a document."""
        return cls(text(document, "status"), text(document, "version"), whole(document, "chainId"))


@dataclass(frozen=True, slots=True)
class TokenMetadata:
    """What is known of a token's contract; `source` is whitelist, rpc or cache."""

    found: bool
    address: str
    name: str
    symbol: str
    decimals: int | None
    source: str
    raw: Document = field(repr=False)

    @classmethod
    def of(cls, document: Document) -> TokenMetadata:
        """The metadata of a document."""
        return cls(
            found=flag(document, "found"),
            address=text(document, "address"),
            name=text(document, "name"),
            symbol=text(document, "symbol"),
            decimals=whole(document, "decimals"),
            source=text(document, "source"),
            raw=document,
        )


@dataclass(frozen=True, slots=True)
class Operator:
    """Somebody who watches chains; `last_seen` is RFC 3339."""

    address: str
    chain_ids: tuple[int, ...]
    version: str
    last_seen: str
    block_number: int | None
    raw: Document = field(repr=False)

    @classmethod
    def of(cls, document: Document) -> Operator:
        """The operator of a document."""
        return cls(
            address=text(document, "address"),
            chain_ids=wholes(document, "supportedChainIds"),
            version=text(document, "version"),
            last_seen=text(document, "lastSeen"),
            block_number=whole(document, "blockNumber"),
            raw=document,
        )
