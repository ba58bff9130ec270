"""Context and conditioning to drafts."""
