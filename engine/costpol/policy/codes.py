"""The codes of everything that can keep a bundle from loading. The linter's own codes stand beside its rules.

A code is never used again for something else; its name is the sin, not the cure. `CATALOGUE` lists them for
`costpol rule` and for the reports that describe every rule they mention.
"""

from __future__ import annotations

from dataclasses import dataclass

from costpol.diagnostics import Diagnostic, Fix, Related, Severity, Span


@dataclass(frozen=True, slots=True)
class Code:
    """A kind of finding: its code, its name, and one line about what it means."""

    code: str
    name: str
    doc: str
    severity: Severity = Severity.ERROR

    def at(
        self,
        span: Span,
        message: str,
        help: str | None = None,
        *,
        why: str | None = None,
        label: str | None = None,
        related: tuple[Related, ...] = (),
        fix: Fix | None = None,
    ) -> Diagnostic:
        """A finding of this kind. What a message quotes may have several lines; the message has one."""
        line = " ".join(message.splitlines())
        return Diagnostic(self.code, self.name, self.severity, span, line, help, why, label, related, fix)


YAML_SYNTAX = Code("CP001", "yaml-syntax", "the file is not the plain YAML that a policy is written in")
DUPLICATE_KEY = Code(
    "CP002", "duplicate-key", "a mapping has the same key twice; a YAML reader would silently keep one"
)
AMBIGUOUS_SCALAR = Code(
    "CP003", "ambiguous-scalar", "an unquoted word or number means different things to different YAML readers"
)
ALIAS_OR_MERGE_KEY = Code("CP004", "alias-or-merge-key", "an anchor, alias or merge key hides what a policy says")
MISSING_END_MARKER = Code(
    "CP005", "missing-end-marker", "without a last line `...` a half-written file looks whole", Severity.WARNING
)
UNKNOWN_KEY = Code("CP101", "unknown-key", "a key that the language does not have")
UNDEFINED_REFERENCE = Code("CP102", "undefined-reference", "a name that nothing in the bundle declares")
SCORE_SCALE_MISMATCH = Code("CP104", "score-scale-mismatch", "a share or likeness given on another scale than 0 to 1")
NON_FINITE_NUMBER = Code(
    "CP105", "non-finite-number", "a number that is not finite, or negative or zero where it cannot be"
)
WRONG_TYPE = Code("CP106", "wrong-type", "a value of another shape than the key takes")
INVALID_VALUE = Code("CP107", "invalid-value", "a value that cannot be read as what the key takes")
MISSING_KEY = Code("CP108", "missing-key", "a required key, or its value, is not there")
UNKNOWN_WORD = Code("CP109", "unknown-word", "a word other than those that the key takes")
NAME_CLASH = Code("CP110", "name-clash", "one name stands for two things")
INCONSISTENT_KEYS = Code("CP111", "inconsistent-keys", "keys that make no sense together, or not without others")
UNKNOWN_KIND = Code("CP112", "unknown-kind", "a file whose `kind` the language does not have")
MISSING_KIND = Code("CP113", "missing-kind", "a bundle without a file of a kind that every bundle needs")
DUPLICATE_KIND = Code("CP114", "duplicate-kind", "two files of a kind that may stand in one file only")
INTENT_WITHIN_INTENTS = Code("CP115", "intent-within-intents", "an intent whose own matcher asks which intent it is")
MISSING_DEFAULT_RULE = Code(
    "CP203", "missing-default-rule", "routing without a default: some requests would have no target"
)
MISSING_EXCLUSIONS = Code(
    "CP307", "missing-exclusions", "personalization without `exclusions`, as a torn file would have it"
)
UNDEFINED_TEMPLATE_VARIABLE = Code(
    "CP706", "undefined-template-variable", "a template uses a variable that it does not declare"
)

CATALOGUE: tuple[Code, ...] = (
    YAML_SYNTAX, DUPLICATE_KEY, AMBIGUOUS_SCALAR, ALIAS_OR_MERGE_KEY, MISSING_END_MARKER,
    UNKNOWN_KEY, UNDEFINED_REFERENCE, SCORE_SCALE_MISMATCH, NON_FINITE_NUMBER, WRONG_TYPE, INVALID_VALUE,
    MISSING_KEY, UNKNOWN_WORD,
    NAME_CLASH, INCONSISTENT_KEYS, UNKNOWN_KIND, MISSING_KIND, DUPLICATE_KIND, INTENT_WITHIN_INTENTS,
    MISSING_DEFAULT_RULE, MISSING_EXCLUSIONS, UNDEFINED_TEMPLATE_VARIABLE,
)  # fmt: skip
