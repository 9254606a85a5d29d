"""Language and sentiment by Microsoft's Azure AI Language (see `plugin`)."""
