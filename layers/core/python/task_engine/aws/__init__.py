"""AWS behind the ports: signed calls, items, repositories."""
