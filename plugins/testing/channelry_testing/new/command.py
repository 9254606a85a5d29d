"""The command `channelry new`."""

import keyword
import re
from importlib.metadata import entry_points
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from string import Template

import click

from channelry.discovery import available, extras

KINDS = ("channel", "recognizer", "enricher")
SUFFIX = ".in"
"""What a template's name ends with, so that no tool takes it for what it will be."""
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
LONGEST_NAME = 40


@click.command()
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("name")
def new(kind: str, name: str) -> None:
    """Write a distribution to begin a plugin with, into a new folder.

    What stands in ./channelry-NAME is whole: it installs, its tests pass, and it keeps the rules of the conformance
    kit. Every place to change says CHANGE. NAME has lower-case letters, digits and hyphens; a configuration names the
    plugin by it.

    \b
    Examples:
      channelry new channel mattermost
      channelry new recognizer our-crm
      channelry new enricher our-model
    """
    title = check_name(name)
    folder = Path(f"channelry-{name}")
    if folder.exists():
        raise click.ClickException(f"./{folder} is there already: choose another name, or remove it")
    words = {"name": name, "package": f"channelry_{name.replace('-', '_')}", "title": title}
    written = write(files(__package__) / kind, folder, words)
    extra = "simulator,test" if kind == "channel" else "test"
    click.echo(f"{folder}/ has {written} files. Next:\n")
    click.echo(f"  cd {folder}\n  pip install -e '.[{extra}]'\n  pytest --channelry-report\n  channelry plugins")
    if kind == "channel":
        click.echo(f"  channelry simulate {name}")
    click.echo("\nThen change what says CHANGE: grep -rn CHANGE .")


def check_name(name: str) -> str:
    """Give the name of the class; UsageError says what a name looks like, or who has it already."""
    title = "".join(word.capitalize() for word in name.split("-"))
    if not _NAME.fullmatch(name) or len(name) > LONGEST_NAME or keyword.iskeyword(title):
        expected = f"expected lower-case letters, digits and hyphens, at most {LONGEST_NAME}, as mattermost or our-crm"
        raise click.UsageError(f"{name!r} is no name for a plugin: {expected}")
    taken = {found.name: found.distribution for found in available().values()}
    if name in taken or name in extras() or entry_points(group="channelry.commands", name=name):
        owner = taken.get(name, f"channelry-{name}")
        raise click.UsageError(f"{name!r} is taken by {owner}: choose another name")
    return title


def write(template: Traversable, folder: Path, words: dict[str, str]) -> int:
    """Write a template's files into a new folder, with the words put in; give how many they are."""
    folder.mkdir()
    written = 0
    for one in template.iterdir():
        if one.is_dir():
            name = words["package"] if one.name == "package" else one.name
            written += write(one, folder / name, words)
        elif one.name.endswith(SUFFIX):
            text = Template(one.read_text(encoding="utf-8")).substitute(words)
            (folder / one.name.removesuffix(SUFFIX)).write_text(text, encoding="utf-8")
            written += 1
    return written
