"""How operations get on chain: by an account of our own, or by a bundler service."""
