"""Texts to unit vectors: the built-in static embedder, and others by choice.

Way in: `registry.open_embedder`. `embedder` says what an embedder promises.
"""
