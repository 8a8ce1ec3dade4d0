"""The table of permissions in docs/ is the catalogue's, and what it claims holds."""

from __future__ import annotations

from infra_cdk.access import actions_of
from infra_cdk.catalogue import FUNCTIONS
from infra_cdk.permission_table import PAGE, page


def test_the_page_is_what_the_catalogue_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `make permissions`"


def test_every_function_has_its_section() -> None:
    sections = [line[3:] for line in page().splitlines() if line.startswith("## ")]
    assert sections == list(FUNCTIONS)


def test_no_function_may_change_who_may_do_what() -> None:
    # Given the services and verbs of all actions of all functions
    actions = {
        action
        for spec in FUNCTIONS.values()
        for allowed in actions_of(spec).values()
        for action in allowed
    }
    # Then none of them changes rights, keys, code, machines or logs, and none takes all of a table
    assert {action for action in actions if action.startswith("iam:")} == {"iam:PassRole"}
    assert not {action for action in actions if action.startswith(("lambda:", "logs:", "sts:"))}
    # Listing the bucket serves to tell what is not there.
    lists = {action for action in actions if action.split(":")[1].startswith("List")}
    assert lists <= {"s3:ListBucket"}
    forbidden = ("Scan", "DeleteTable", "UpdateTable", "CreateTable", "PutKeyPolicy", "CreateGrant")
    assert not {action for action in actions if action.split(":")[1] in forbidden}


def test_who_writes_secrets_can_not_read_them() -> None:
    def having(action: str) -> set[str]:
        return {
            name
            for name, spec in FUNCTIONS.items()
            if any(action in allowed for allowed in actions_of(spec).values())
        }

    assert having("kms:Encrypt") == {"api_secrets"}
    assert having("kms:GenerateMac") == {"api_auth"}
    assert not having("kms:Encrypt") & having("kms:Decrypt")
