"""Acknowledgements of cdk-nag's findings: each says why, next to the resource it is about."""

from __future__ import annotations

from aws_cdk import Acknowledgment, Validations
from constructs import IConstruct


def acknowledge(construct: IConstruct, reason: str, *rules: str) -> None:
    """Accept `rules` (e.g. `APIG2`, `IAM5[Resource::*]`) of AwsSolutions on `construct` and what is
    below it."""
    for rule in rules:
        Validations.of(construct).acknowledge(
            Acknowledgment(id=f"AwsSolutions-{rule}", reason=reason)
        )
