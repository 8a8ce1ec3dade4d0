"""Smart wallets: where they are, how they are made, what they execute, who may sign for them."""
