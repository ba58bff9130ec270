"""The ``befit`` command: every verb of the cycle, each with ``--json``.

No verb has logic of its own; heavy modules load when a command needs them. Exit codes:

0. it worked
1. something unexpected, or a check that found a problem
2. wrong usage, input or settings
3. no such person or response, or no right to it
4. a model failed
5. the store cannot serve
6. nothing could be learned
"""

import sys

import typer

from befit.app import (
    cli_ask,
    cli_infer,
    cli_learning,
    cli_person,
    cli_rank,
    cli_space,
    cli_store,
    cli_system,
)
from befit.core.errors import (
    BefitError,
    ConfigError,
    InputError,
    LearningError,
    ModelError,
    StoreError,
    UserError,
)

CODES: tuple[tuple[type[BefitError], int], ...] = (
    (InputError, 2),
    (ConfigError, 2),
    (UserError, 3),
    (ModelError, 4),
    (StoreError, 5),
    (LearningError, 6),
)

app = typer.Typer(
    help="Makes any language model answer this person, inside values that hold for everyone.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode=None,
)
cli_person.register(app)
cli_rank.register(app)
cli_ask.register(app)
cli_infer.register(app)
cli_learning.register(app)
cli_store.register(app)
cli_space.register(app)
cli_system.register(app)


def main() -> None:
    """Run a command; an error of befit is one line, the way out another, and an exit code."""
    try:
        _check_arguments()
        app()
    except BefitError as error:
        print(f"error: {error}", file=sys.stderr)
        if error.hint:
            print(f"way out: {error.hint}", file=sys.stderr)
        sys.exit(next((code for kind, code in CODES if isinstance(error, kind)), 1))


def _check_arguments() -> None:
    """Refuse bytes that are no text before any command reads them."""
    try:
        "".join(sys.argv).encode()
    except UnicodeEncodeError as error:
        raise InputError(
            "an argument is not valid UTF-8", hint="check the terminal's encoding", field="argument"
        ) from error
