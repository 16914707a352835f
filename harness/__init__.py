"""Migration Drill: breaks schema migrations for real and proves that the recovery worked."""

__version__ = "0.1.0"
