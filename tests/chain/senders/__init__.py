"""Operations sent to a real chain node."""
