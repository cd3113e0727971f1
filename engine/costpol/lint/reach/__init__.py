"""Exact reachability: which requests a `when` takes, what earlier rules leave of it, and a request that shows it.

Every condition of the language is an interval, a set or a text predicate. `space` cuts each field into finitely many
cells at the constants that the policy mentions, so that a `when` becomes a few boxes (`boxes`) and first-match becomes
subtraction (`cover`). Way in: `survey`.
"""
