"""The shells around the core: they gather, ask `gated.core.decide`, and perform."""
