"""A class that breaks the contract is refused by name, with what was expected."""

from collections.abc import Sequence
from typing import Any

import attrs
import pytest
from attrs import frozen

from channelry import hookimpl, hookspecs, plugin
from channelry.errors import PluginError
from channelry.model import Capabilities, Language, Receipt, Received, Request, Text
from channelry.registry import examine, implementations, plugin_manager, specifications


@frozen
class Config:
    pass


def made(**members: Any) -> Any:
    """Make a plugin class of some members."""
    return plugin(type("Acme", (), {"Config": Config, "__annotations__": {"config": Config}, **members}))


@hookimpl
def wrong_annotation(self: Any, request: Request) -> Receipt:
    return Receipt()


@hookimpl
def wrong_argument(self: Any, req: Request) -> None: ...


@hookimpl
async def asynchronous(self: Any, request: Request) -> None: ...


@hookimpl(wrapper=True)
def wrapper(self: Any, request: Request) -> Any:
    yield


@hookimpl
def unresolved(self: Any, request: "Nowhere") -> None: ...  # type: ignore[name-defined]  # noqa: F821


@hookimpl
def plain(self: Any, request: Request) -> None: ...


@hookimpl(optionalhook=True)
def panel(self: Any, conversation: str) -> str:
    return conversation


@pytest.mark.row("F7")
@pytest.mark.parametrize(
    ("cls", "hook", "reason"),
    [
        (object, "(class)", "expected a class under @channelry.plugin"),
        (attrs.define(type("Equal", (), {"Config": Config})), "(class)", "expected a class under @channelry.plugin"),
        (plugin(type("NoConfig", (), {})), "(class)", "expected a nested attrs class Config"),
        (made(), "(class)", "implements no hook; mark its methods with @channelry.hookimpl"),
        (made(verfy=plain), "verfy", "there is no such hook; did you mean verify?"),
        (made(verify=wrong_argument), "verify", "unknown argument 'req'; it has (request)"),
        (made(verify=wrong_annotation), "verify", "return is annotated Receipt, expected None"),
        (made(verify=asynchronous), "verify", "expected a plain function: the hook is pure and runs inline"),
        (made(verify=wrapper), "verify", "hook wrappers are not supported; implement the hook itself"),
        (made(verify=unresolved), "verify", "an annotation cannot be resolved: name 'Nowhere' is not defined"),
        (made(parse=plain, capabilities=None), "parse", "return is annotated None, expected Received"),
    ],
)
def test_a_class_that_breaks_the_contract_is_refused_by_name(cls: Any, hook: str, reason: str) -> None:
    with pytest.raises(PluginError) as refused:
        examine("acme", cls)
    assert (refused.value.plugin, refused.value.hook, refused.value.reason) == ("acme", hook, reason)


def test_a_channel_needs_capabilities() -> None:
    @hookimpl
    def parse(self: Any, request: Request) -> Received:
        return Received(request)

    with pytest.raises(PluginError, match="capabilities"):
        examine("acme", made(parse=parse, verify=plain))
    examine("acme", made(parse=parse, verify=plain, capabilities=Capabilities(text=1)))
    with pytest.raises(PluginError, match="has to verify them; is @hookimpl missing"):
        examine("acme", made(parse=parse, capabilities=Capabilities(text=1)))


def test_a_hook_of_an_application_that_is_not_installed_is_no_fault() -> None:
    examine("acme", made(verify=plain, panel=panel))


def test_two_plugins_with_equal_configurations_are_both_registered() -> None:
    cls = made(verify=plain)
    manager = plugin_manager()
    first, second = cls(Config()), cls(Config())
    assert manager.register(first, "connections.a")
    assert manager.register(second, "connections.b")
    assert first != second
    assert set(implementations(manager, first)) == {"verify"}


def test_an_implementation_may_take_fewer_arguments() -> None:
    @hookimpl
    def send(self: Any, services: Any) -> Receipt:
        return Receipt((services,))

    @hookimpl
    async def detect_language(self: Any) -> Sequence[Language | None]:
        return []

    cls = made(send=send, detect_language=detect_language, capabilities=Capabilities(text=1))
    examine("acme", cls)
    manager = plugin_manager()
    one = cls(Config())
    manager.register(one, "connections.a")
    found = implementations(manager, one)
    assert found["send"]("call", "services") == Receipt(("services",))
    found["detect_language"]((Text(text="x"),)).close()


def test_the_pure_hooks_are_the_three_that_need_no_services() -> None:
    specs = specifications().items()
    assert {name for name, spec in specs if spec.pure and hasattr(hookspecs, name)} == {"verify", "parse", "compose"}
