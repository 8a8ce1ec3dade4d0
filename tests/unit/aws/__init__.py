"""AWS adapters without AWS: against botocore's signer and small real servers."""
