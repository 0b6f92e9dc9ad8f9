"""Declarative tables: what is tested, and what is known to be broken."""
