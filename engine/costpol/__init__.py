"""costpol: a declarative policy engine that cuts the cost of LLM applications and agents."""

__version__ = "0.1.0"
