"""Where the commands print: terminals get colours and their width, pipes whole lines."""

from rich.console import Console

# A pipe has no width of its own; wrapped lines would not do for grep.
_PIPE_WIDTH = 500


def screen() -> Console:
    """Standard output. Nothing in what is printed is taken for a link or a number to colour."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = _PIPE_WIDTH
    return console
