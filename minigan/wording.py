"""How the command line counts things."""


def counted(n: int, noun: str) -> str:
    """The number and the noun, which takes an s unless there is one: "1 step", "0 steps"."""
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"
