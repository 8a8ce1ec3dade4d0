"""Documents and payloads of earlier versions: what is stored or in flight must stay readable."""
