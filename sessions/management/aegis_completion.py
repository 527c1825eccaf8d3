"""`aegis completion`: what a shell needs to complete commands and what they name."""

import json
import shlex
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from typer._click.globals import get_current_context

from sessions.management import completing, completion_cache, output
from sessions.management.verbs import verb


class Wanted(StrEnum):
    """A shell, or only the cache anew."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"
    REFRESH = "refresh"


BASH = """\
_aegis() {{
  mapfile -t COMPREPLY < <({command} "${{COMP_WORDS[@]:1:COMP_CWORD}}" 2>/dev/null)
}}
complete -o nosort -F _aegis aegis ./aegis"""
ZSH = """\
_aegis() {{
  local -a found
  found=("${{(@f)$({command} "${{(@)words[2,CURRENT]}}" 2>/dev/null)}}")
  compadd -V aegis -- $found
}}
compdef _aegis aegis ./aegis"""
FISH = """\
function __aegis
  {command} (commandline -opc)[2..] (commandline -ct) 2>/dev/null
end
complete -c aegis -f -k -a '(__aegis)'"""
SCRIPTS = {Wanted.BASH: BASH, Wanted.ZSH: ZSH, Wanted.FISH: FISH}


@verb
def completion(
    shell: Annotated[Wanted, typer.Argument(help="A shell; refresh makes the cache anew.")],
) -> None:
    """
    Print what lets a shell complete commands, options and names such as keys of sessions.

    Examples: aegis completion fish | source; source <(aegis completion bash)
    """
    context: Any = get_current_context()
    cache = completion_cache.write(context.find_root().command)
    if shell is not Wanted.REFRESH:
        output.plain(SCRIPTS[shell].format(command=command(cache)))


def command(cache: Path) -> str:
    """The command that prints candidates, to be followed by the words of a line."""
    manage = Path(completing.__file__).parents[2] / "manage.py"
    refresh = json.dumps([sys.executable, str(manage), "aegis", "completion", "refresh"])
    # Neither site-packages nor the environment: only what the program itself brings.
    program = [sys.executable, "-I", "-S", completing.__file__]
    return shlex.join([*program, str(cache), refresh])
