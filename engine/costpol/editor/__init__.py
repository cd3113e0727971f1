"""What an editor asks while a policy is typed: findings, hover texts, completions, places of names.

Everything but `server` is pure: texts and a position in, an answer out. `server` speaks the language server protocol.
"""
