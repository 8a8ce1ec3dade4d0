"""The deployment of the engine as a CDK app."""
