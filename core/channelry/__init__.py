"""channelry: a plugin framework for customer-care channels.

`@plugin` and `@hookimpl` mark a plugin; `channelry.hookspecs` is the manual of its hooks, `channelry.model` the
values that travel, `channelry.errors` what may go wrong, `channelry.services` what a plugin is handed.
"""

from .plugin import hookimpl, hookspec, plugin

__all__ = ["hookimpl", "hookspec", "plugin"]
__version__ = "0.1.0"
