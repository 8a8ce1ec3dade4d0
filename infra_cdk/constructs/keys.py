"""The keys of our own: for secrets, for tokens and, where there are chains, to sign on them."""

from __future__ import annotations

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_kms as kms
from constructs import Construct

from infra_cdk.stage import StageConfig


class Keys(Construct):
    """`secrets` encrypts the users' secrets, `tokens` makes and checks the MAC of tokens; neither
    leaves KMS, and who may use which is in each function's role alone. Where the stage has chains,
    `signing` has a key for acting through wallets (controller), one for the account that sends
    transactions (bundler) and, where a chain has a verifying paymaster, one for that."""

    def __init__(self, scope: Construct, construct_id: str, stage: StageConfig) -> None:
        super().__init__(scope, construct_id)
        removal = RemovalPolicy.RETAIN if stage.keep_data else RemovalPolicy.DESTROY
        window = Duration.days(30 if stage.keep_data else 7)
        self.secrets = kms.Key(
            self,
            "Secrets",
            description=f"{stage.prefix}: secrets of users",
            enable_key_rotation=True,
            removal_policy=removal,
            pending_window=window,
        )
        self.signing = {
            name: kms.Key(
                self,
                name.capitalize(),
                description=f"{stage.prefix}: {purpose}",
                key_spec=kms.KeySpec.ECC_SECG_P256K1,
                key_usage=kms.KeyUsage.SIGN_VERIFY,
                removal_policy=removal,
                pending_window=window,
            )
            for name, purpose in stage.signing_keys().items()
        }
        self.tokens = kms.Key(
            self,
            "Tokens",
            description=f"{stage.prefix}: MAC of access tokens",
            key_spec=kms.KeySpec.HMAC_256,
            key_usage=kms.KeyUsage.GENERATE_VERIFY_MAC,
            removal_policy=removal,
            pending_window=window,
        )
