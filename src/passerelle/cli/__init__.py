"""The command line. One module a family of commands; what they do is done elsewhere, and imported when it is needed.

The one rule: what goes wrong is one clear line that says what to do, and an exit code that is not 0.
"""

from __future__ import annotations

import sys

from .commands import app, import_all
from .screen import Problem, problem_of


def main(arguments: list[str] | None = None) -> None:
    """Run a command."""
    words = sys.argv[1:] if arguments is None else arguments
    if not words or words[0].startswith("-"):
        import_all()
    try:
        app(words)
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    except BrokenPipeError:  # `| head` has seen enough
        sys.stderr.close()
        raise SystemExit(141) from None
    except Exception as error:
        known = problem_of(error)
        if known is None:
            raise
        print(f"passerelle: {known}", file=sys.stderr)
        raise SystemExit(1) from None


__all__ = ["Problem", "app", "main"]
