"""Tidemark: who holds US Treasuries, what changed, and what do they hold instead."""

__version__ = "0.1.0"
