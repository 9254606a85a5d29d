"""The scaffold: whole distributions to begin a plugin with, as files, and the command that writes them."""
