"""The keys of our own: for secrets, for tokens and, where there are chains, to sign on them."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_kms as kms
from constructs import Construct

from infra_cdk.stage import StageConfig


class Keys(Construct):
    """`secrets` encrypts the users' secrets, `tokens` makes and checks the MAC of tokens; neither
    leaves KMS, and who may use which is in each function's role alone. Where the stage has chains,
    `signing` has a key for acting through wallets (controller), one for the account that sends
    transactions (bundler) and, where a chain has a verifying paymaster, one for that.

    KMS can't rotate keys that sign or make MACs, so those have generations; `earlier` has the ones
    before the present, by the names of their outputs. `earlier_tokens` still checks tokens.
    """

    def __init__(self, scope: Construct, construct_id: str, stage: StageConfig) -> None:
        super().__init__(scope, construct_id)
        self._stage = stage
        self.earlier: dict[str, kms.Key] = {}
        self.secrets = self._key("Secrets", "secrets of users", rotates=True)
        self.signing: Mapping[str, kms.Key] = {
            name: self._generations(
                name.capitalize(), purpose, stage.key_generation(name), kms.KeySpec.ECC_SECG_P256K1
            )
            for name, purpose in stage.signing_keys().items()
        }
        generation = stage.key_generation("tokens")
        self.tokens = self._generations(
            "Tokens", "MAC of access tokens", generation, kms.KeySpec.HMAC_256
        )
        self.earlier_tokens = self.earlier.get(f"EarlierTokens{generation - 1}")

    def _generations(self, name: str, purpose: str, generation: int, spec: kms.KeySpec) -> kms.Key:
        """The present key. What functions used until now can't be taken away in the same
        deployment, so the two before it stay."""
        for number in range(max(1, generation - 2), generation):
            key = self._key(_numbered(name, number), purpose, spec)
            self.earlier[f"Earlier{name}{number}"] = key
            for value in (key.key_arn, key.key_id):
                Stack.of(self).export_value(value)
        return self._key(_numbered(name, generation), purpose, spec)

    def _key(
        self, name: str, purpose: str, spec: kms.KeySpec | None = None, *, rotates: bool = False
    ) -> kms.Key:
        keep = self._stage.keep_data
        uses = {
            None: None,
            kms.KeySpec.HMAC_256: kms.KeyUsage.GENERATE_VERIFY_MAC,
            kms.KeySpec.ECC_SECG_P256K1: kms.KeyUsage.SIGN_VERIFY,
        }
        return kms.Key(
            self,
            name,
            description=f"{self._stage.prefix}: {purpose}",
            key_spec=spec,
            key_usage=uses[spec],
            enable_key_rotation=rotates or None,
            removal_policy=RemovalPolicy.RETAIN if keep else RemovalPolicy.DESTROY,
            pending_window=Duration.days(30 if keep else 7),
        )


def _numbered(name: str, generation: int) -> str:
    return name if generation == 1 else f"{name}{generation}"
