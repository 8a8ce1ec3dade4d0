"""Who pays for an operation's gas instead of the wallet."""
