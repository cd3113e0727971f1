"""The linter: what a policy that loads would still get wrong, in money or in leaks.

Way in: `runner.lint`. One rule is one module of `rules`, whose docstring is its page and its test; `registry` lists
them. A rule that would also name sound policies is worse than none.
"""
