"""The deployment of the engine as a CDK app."""

import os

# Node 20 is what the project asks for; the notice about its age would hide the messages of ours.
os.environ.setdefault("JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION", "20")
os.environ.setdefault("JSII_SILENCE_WARNING_DEPRECATED_NODE_VERSION", "20")
