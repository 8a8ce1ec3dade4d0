"""The two keys of our own: one for secrets, one for tokens."""

from __future__ import annotations

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_kms as kms
from constructs import Construct

from infra_cdk.stage import StageConfig


class Keys(Construct):
    """`secrets` encrypts the users' secrets, `tokens` makes and checks the MAC of tokens; neither
    leaves KMS, and who may use which is in each function's role alone."""

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
        self.tokens = kms.Key(
            self,
            "Tokens",
            description=f"{stage.prefix}: MAC of access tokens",
            key_spec=kms.KeySpec.HMAC_256,
            key_usage=kms.KeyUsage.GENERATE_VERIFY_MAC,
            removal_policy=removal,
            pending_window=window,
        )
