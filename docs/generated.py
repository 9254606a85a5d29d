"""What the documentation takes from the code: hooks, values, errors, configuration, commands, capabilities.

Each function gives Markdown, made of what is installed when the site is built, so that no page can say something else
than the code does.
"""

import ast
import importlib
import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import attrs
import click
from attrs import frozen

from channelry.cli import main
from channelry.discovery import Available, available
from channelry.model import Capabilities, Kind, MediaLimit, Rate, Resend, Status, TextUnit
from channelry.registry import marked, specifications
from channelry.structure import describe_toml, structure
from channelry_testing import ChannelConformance, EnricherConformance, RecognizerConformance, Rule

MARK = re.compile(r"<!-- generated: ([\w.-]+(?: [\w.-]+)*) -->")
README = re.compile(r"plugins/(?:channels|enrichment)/(?P<name>[\w-]+)/README")

RESENDS = {
    Resend.SAFE: "sent again within 23 hours: the provider knows our key and takes the call once",
    Resend.LOOKUP: "the provider is asked",
    Resend.CALLBACK: "a status with our reference settles it",
    Resend.NEVER: "left to a person",
}

UNITS = {TextUnit.CHARACTERS: "characters", TextUnit.UTF16: "UTF-16 units", TextUnit.BYTES: "bytes"}


def filled(page: str) -> str:
    """Replace each `<!-- generated: NAME ARGUMENT… -->` by what the function of that name gives."""

    def made(match: re.Match[str]) -> str:
        name, *arguments = match[1].split()
        return MAKERS[name](*arguments)

    return MARK.sub(made, page)


def appendix(docname: str) -> str:
    """Give what is appended to the page `docname`: what the class says, if it is a plugin's README."""
    match = README.fullmatch(docname)
    return plugin(match["name"]) if match else ""


def table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a Markdown table."""
    cells = [titles, ["---"] * len(titles), *rows]
    return "".join(
        "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in row) + " |\n" for row in cells
    )


def code(text: str, language: str = "python") -> str:
    """Write a fenced block."""
    return f"```{language}\n{text}\n```\n"


# --- hooks -----------------------------------------------------------------------------------------------------------


def hooks(module_name: str) -> str:
    """Describe each hook of a module in the order of its source: signature, manual, and who implements it."""
    users = {hook: [name for name, one in plugins().items() if hook in marked(one.cls)] for hook in specifications()}
    source = inspect.getsource(importlib.import_module(module_name))
    tree = ast.parse(source)
    made = [doc(tree)]
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name in specifications():
            use = f"Implemented by {', '.join(users[node.name])}." if users[node.name] else ""
            made.append(f"### `{node.name}`\n\n{code(signature(node, source))}\n{doc(node)}\n\n{use}\n")
    return "\n".join(made)


def signature(node: ast.FunctionDef | ast.AsyncFunctionDef, source: str) -> str:
    """Write the declaration of a function exactly as its source has it, without its body and without comments."""
    lines = source.splitlines()[node.lineno - 1 : max(node.body[0].lineno - 1, node.lineno)]
    if node.body[0].lineno == node.lineno:  # its body is in the same line
        lines = [lines[0][: node.body[0].col_offset].rstrip()]
    bare = (line[node.col_offset :].partition("#")[0].rstrip() for line in lines)
    return "\n".join(line for line in bare if line).removesuffix(":")


def doc(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Module) -> str:
    return ast.get_docstring(node) or ""


# --- values, errors, services ----------------------------------------------------------------------------------------


def module(name: str) -> str:
    """Describe what a module offers: its classes, functions and unions, each with its declaration and its docstring."""
    source = inspect.getsource(importlib.import_module(name))
    tree = ast.parse(source)
    made = [doc(tree)]
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            made.append(f"### `{node.name}`\n\n{doc(node)}\n\n{code(declaration(node, source))}\n{methods(node)}")
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
            marks = "".join(f"@{ast.unparse(mark)}\n" for mark in node.decorator_list)
            made.append(f"### `{node.name}`\n\n{code(marks + signature(node, source))}\n{doc(node)}\n")
        elif isinstance(node, ast.AnnAssign) and ast.unparse(node.annotation) == "TypeAlias":
            assert node.value is not None
            made.append(f"### `{ast.unparse(node.target)}`\n\n{code(wrapped(ast.unparse(node)))}")
    return "\n\n".join(made)


def declaration(node: ast.ClassDef, source: str) -> str:
    """Write a class as a stub: its decorators, its fields or members, the signatures of its public methods."""
    bases = ", ".join(map(ast.unparse, node.bases))
    lines = [f"@{ast.unparse(one)}" for one in node.decorator_list]
    lines.append(f"class {node.name}({bases}):" if bases else f"class {node.name}:")
    for one in node.body:
        if isinstance(one, ast.AnnAssign | ast.Assign) and not ast.unparse(one).startswith("_"):
            lines.append(f"    {ast.get_source_segment(source, one)}")
        elif isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef) and shown(one):
            lines += [f"    @{ast.unparse(mark)}" for mark in one.decorator_list]
            lines += [f"    {line}" for line in f"{signature(one, source)}: ...".splitlines()]
    return "\n".join(lines if lines[-1].startswith("    ") else [*lines, "    ..."])


def shown(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return node.name == "__init__" or not node.name.startswith("_")


def methods(node: ast.ClassDef) -> str:
    """List the methods with what they do."""
    found = [one for one in node.body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)]
    lines = [f"- `{one.name}`: {' '.join(doc(one).split())}" for one in found if shown(one) and doc(one)]
    return "\n".join(lines) + "\n"


def wrapped(union: str) -> str:
    """Break a long union into lines."""
    name, _, members = union.partition(" = ")
    return union if len(union) <= 100 else f"{name} = (\n    " + "\n    | ".join(members.split(" | ")) + "\n)"


# --- plugins ---------------------------------------------------------------------------------------------------------


@frozen
class Installed:
    """An installed plugin: its entry point and its class."""

    found: Available
    cls: Any


@cache
def plugins() -> dict[str, Installed]:
    """Load every installed plugin, by name."""
    return {name: Installed(found, found.load()) for name, found in sorted(available().items())}


@cache
def channels() -> dict[str, Capabilities]:
    """Give the capabilities of every installed channel, with the ids and credentials of its simulated account and all
    else by default: numbers (a rate for instance) a simulator raises, so that no test has to wait."""
    found = {}
    for name, simulator in available("channelry.simulators").items():
        settings = simulator.load()().settings("https://simulated.example")
        table = {key: value for key, value in settings.items() if isinstance(value, str) and key != "plugin"}
        made, faults = structure(name, table, plugins()[name].cls.Config, Path(), inline=True)
        assert not faults, faults
        found[name] = plugins()[name].cls(made).capabilities
    return found


def page(name: str) -> str:
    """Give the path of a plugin's page, from docs/reference/."""
    folder = "channels" if name in channels() else "enrichment"
    return f"../../plugins/{folder}/{name}/README.md"


def plugin(name: str) -> str:
    """Describe one plugin by its class."""
    one = plugins()[name]
    parts = ["\n\n## From its code\n", "This part is made from the class itself when the site is built.\n"]
    if name in channels():
        parts.append(f"### Capabilities\n\n{capabilities(channels()[name])}")
    parts.append(f"### Keys of its configuration\n\n{config(one.cls.Config)}")
    parts.append(f"### Hooks\n\n{', '.join(f'`{hook}`' for hook in sorted(marked(one.cls)))}\n")
    return "\n".join(parts)


def every_plugin() -> str:
    """List the installed plugins with their hooks."""
    rows = [
        (f"[{name}]({page(name)})", one.found.distribution, ", ".join(f"`{hook}`" for hook in sorted(marked(one.cls))))
        for name, one in plugins().items()
    ]
    return table(("plugin", "distribution", "hooks"), rows)


def config(cls: type) -> str:
    """Describe the keys of one configuration table: type, default, and the docstring of the class."""
    rows = [
        (f"`{one.alias}`", describe_toml(one.type), default(one))
        for one in attrs.fields(attrs.resolve_types(cls))
        if one.init
    ]
    return f"{inspect.getdoc(cls) or ''}\n\n{table(('key', 'type', 'default'), rows)}"


def default(one: "attrs.Attribute[Any]") -> str:
    """Write a default as TOML would."""
    if one.default is attrs.NOTHING:
        return "required"
    if getattr(one.default, "takes_self", False):
        return "by the other keys"
    value = getattr(one.default, "factory", lambda: one.default)()
    if value is None or value == ():
        return "none"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, str):
        return f'`"{value}"`'
    return f"`{list(value) if isinstance(value, tuple) else value}`"


def sections() -> str:
    """Describe the tables that applications read."""
    found = sorted(entry_points(group="channelry.sections"), key=lambda point: point.name)
    return "\n".join(f"### `[{point.name}]`\n\n{config(point.load())}" for point in found)


# --- capabilities ----------------------------------------------------------------------------------------------------


def capabilities(of: Capabilities) -> str:
    """Describe what a channel carries: each kind in both directions, then the limits; public answers and private ones
    to public messages apart."""
    made = _carried(of) + "\n" + table(("limit", "value"), limits(of))
    for title, inner in (("Public answers", of.public), ("Private answers to public messages", of.aside)):
        if inner is not None:
            made += f"\n#### {title}\n\n{_carried(inner)}\n{table(('limit', 'value'), limits(inner))}"
    return made + "\n"


def _carried(of: Capabilities) -> str:
    kinds = [kind for kind in Kind if kind in of.receives | of.sends]
    rows = [
        (kind.value, "yes" * (kind in of.receives), "yes" * (kind in of.sends), file_limit(of, kind)) for kind in kinds
    ]
    return table(("kind", "received", "sent", "files"), rows)


def file_limit(of: Capabilities, kind: Kind) -> str:
    """Say what a file of this kind may be."""
    limit = of.media.get(kind)
    if limit is None:
        return ""
    types = ", ".join(sorted(limit.types)) or "any type"
    return "; ".join((types, *(f"{size(most)} {way}" for way, most in ways(limit) if most is not None)))


def ways(limit: MediaLimit) -> tuple[tuple[str, int | None], ...]:
    return ("by upload", limit.upload), ("by link", limit.link), ("to fetch", limit.fetch)


def limits(of: Capabilities) -> Iterator[tuple[str, str]]:
    """Give each limit that a channel has, in words."""
    yield "text of one call", f"{of.text:,} {UNITS[of.unit]}"
    if of.caption:
        yield "text under a file", f"{of.caption:,} {UNITS[of.unit]}"
    if of.buttons is not None:
        one = of.buttons
        links = "; links too" * one.urls
        payload = f"payload {one.payload:,} {UNITS[one.payload_unit]}"
        yield "buttons", f"{one.count}; title {one.title}, {payload}, text {one.text:,}{links}"
    yield "free text after the customer's last message", within(of.window)
    if Kind.EDIT in of.sends:
        yield "edit what we sent", within(of.edit_within)
    if Kind.DELETE in of.sends:
        yield "delete what we sent", within(of.delete_within)
    if Kind.REACTION in of.sends:
        these = " ".join(sorted(of.emoji)) if len(of.emoji) < 10 else f"{len(of.emoji)} of the provider's own"
        yield "reactions", f"{of.reactions} a person; {these or 'any emoji'}"
    yield "statuses reported", ", ".join(status.value for status in Status if status in of.statuses) or "none"
    yield "when the answer to a send was lost", RESENDS[of.resend]
    yield "rates", rates(of.rates)
    yield "where customers write", ", ".join(sorted(of.surfaces))
    yield "quotes what it answers", "yes" if of.quotes else "no"
    whom = "also who never wrote" if of.initiates else "only who has written"
    yield "writes to", f"{', '.join(of.schemes) or 'the sender'}; {whom}"


def rates(found: Sequence[Rate]) -> str:
    return "; ".join(map(rate, found)) or "none declared"


def rate(one: Rate) -> str:
    of = f" ({', '.join(sorted(one.actions))})" if one.actions else ""
    return f"{one.count:,} in {span(timedelta(seconds=one.seconds))} per {one.scope}{of}"


def within(time: timedelta | None) -> str:
    return "always" if time is None else f"within {span(time)}"


def span(time: timedelta) -> str:
    """Write a time in its largest whole unit."""
    seconds = time.total_seconds()
    for name, length in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * length and seconds % length == 0:
            return f"{seconds / length:g} {name}"
    return f"{seconds:g} s"


def size(most: int) -> str:
    """Write a number of bytes in the unit in which it is round."""
    for unit, length in (("MiB", 1 << 20), ("MB", 1_000_000), ("KiB", 1 << 10), ("kB", 1_000)):
        if most >= length and most % length == 0:
            return f"{most // length} {unit}"
    return f"{most:,} bytes"


def every_channel() -> str:
    """Compare all installed channels: what each carries in which direction, and within which limits."""
    found = channels()

    def way(of: Capabilities, kind: Kind) -> str:
        received = any(kind in one.receives for one in (of, of.public, of.aside) if one)
        sent = any(kind in one.sends for one in (of, of.public, of.aside) if one)
        return {(True, True): "both", (True, False): "in", (False, True): "out"}.get((received, sent), "")

    kinds = table(
        ("", *(f"[{name}]({page(name)})" for name in found)),
        [row for row in ((kind.value, *(way(of, kind) for of in found.values())) for kind in Kind) if any(row[1:])],
    )
    named = {name: dict(limits(of)) for name, of in found.items()}
    bounds = [
        f"### {heading}\n\n"
        + table(("", *titles), [(name, *(one.get(title, "") for title in titles)) for name, one in named.items()])
        for heading, titles in COMPARED.items()
    ]
    return "\n".join((f"### What goes in which direction\n\n{kinds}", *bounds))


COMPARED = {
    "Text and buttons": ("text of one call", "text under a file", "buttons"),
    "Time": ("free text after the customer's last message", "edit what we sent", "delete what we sent"),
    "What becomes of a call": ("statuses reported", "when the answer to a send was lost", "rates"),
    "People": ("where customers write", "writes to", "quotes what it answers", "reactions"),
}


# --- commands --------------------------------------------------------------------------------------------------------


def commands() -> str:
    """Give the help of every installed command."""
    return "\n".join(_help(main, click.Context(main, info_name="channelry", max_content_width=100), 3))


def _help(command: click.Command, context: click.Context, level: int) -> Iterator[str]:
    yield f"{'#' * level} `{context.command_path}`\n\n{code(command.get_help(context), 'text')}"
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            if inner is not None and not inner.hidden:
                yield from _help(inner, click.Context(inner, info_name=name, parent=context), min(level + 1, 4))


# --- the kit ---------------------------------------------------------------------------------------------------------


def rules(grade: str) -> str:
    """List the rules of the kit that a grade adds: for whom each is, and its manual."""
    users: dict[Rule, list[str]] = {}
    for kind, of in KITS.items():
        for _, test in inspect.getmembers_static(of, lambda member: hasattr(member, "rule")):
            if test.rule.grade == grade:
                users.setdefault(test.rule, []).append(kind)
    return "\n".join(
        f"### `{one.code}`\n\n*For each {', '.join(of)}.*\n\n{_spread(one.manual)}\n"
        for one, of in sorted(users.items(), key=lambda item: item[0].code)
    )


def _spread(manual: str) -> str:
    """Give the reason and the way to mend it a paragraph each."""
    return re.sub(r"\s(Mend:)", r"\n\n**\1**", manual.replace("Why:", "**Why:**"))


KITS = {"channel": ChannelConformance, "recognizer": RecognizerConformance, "enricher": EnricherConformance}


MAKERS: dict[str, Callable[..., str]] = {
    "channels": every_channel, "commands": commands, "hooks": hooks, "module": module, "plugins": every_plugin,
    "rules": rules, "sections": sections,
}  # fmt: skip
