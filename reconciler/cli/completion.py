"""``reconciler completion``: what a shell reads once, so that Tab completes commands and options.

The shell then asks this program at each Tab, by a variable of the environment: click answers, from the
commands themselves.
"""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from reconciler.cli.common import Common, takes_common

SHELLS = ("bash", "zsh", "fish")

_VARIABLE = "_RECONCILER_COMPLETE"


@click.command("completion")
@click.argument("shell", metavar="bash|zsh|fish", type=click.Choice(SHELLS))
@takes_common(("text",))
def command(common: Common, shell: str) -> None:  # noqa: ARG001 - a script has one form
    """Print what lets Tab complete commands and options in a shell.

    \b
    bash  source <(reconciler completion bash)     in ~/.bashrc
    zsh   source <(reconciler completion zsh)      in ~/.zshrc, after compinit
    fish  reconciler completion fish | source      in ~/.config/fish/config.fish

    The Debian package has it in place for all three.
    """
    of = get_completion_class(shell)
    assert of is not None
    root = click.get_current_context().find_root().command
    click.echo(of(root, {}, "reconciler", _VARIABLE).source())
