"""Who may deliver a webhook: forgeries, and what of them an adapter takes."""
