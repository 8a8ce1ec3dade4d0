"""Entry of the cdk command line: `cdk synth -c stage=dev`, `cdk deploy --all -c stage=prod`.

Started as a module: as a script, its folder would come first on the path, and the constructs here
would hide the package of that name.
"""

from __future__ import annotations

from infra_cdk.stage import stage_config
from infra_cdk.synth import Options, build, new_app


def main() -> None:
    """Synthesise the stage named in the context (`stage`, default dev) to where cdk wants it.

    `-c bundle=false` leaves out packages, for templates to look at without a network.
    """
    app = new_app()
    stage = str(app.node.try_get_context("stage") or "dev")
    bundle = str(app.node.try_get_context("bundle") or "true") != "false"
    build(app, stage_config(stage), Options(bundle=bundle))


if __name__ == "__main__":
    main()
