"""Two thousand executions of fifty owners, one of them a hundred times as busy as the rest."""
