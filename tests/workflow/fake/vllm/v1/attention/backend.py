class MultipleOf(int):
    """A size of blocks, and its multiples."""
