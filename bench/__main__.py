"""`python -m bench COMMAND`."""

from bench.cli import cli

if __name__ == "__main__":
    cli(prog_name="python -m bench")
