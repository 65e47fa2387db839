"""Every kind of mistake that a rule file can have, with its stable code. Imports errors only.

A code is for what an author would call the same mistake, so several messages may share one. Numbers are never reused: RN00x reading,
RN01x fields, RN02x what YAML does silently, RN1xx fields that do not go together, RN2xx names and content, RN3xx words and patterns,
RN4xx logic, RN5xx examples, RN6xx comments that ignore codes. A new kind of condition can use BAD_VALUE and IDLE_OPTION, or add a code
of its own here.
"""

from __future__ import annotations

from typing import NamedTuple

from rulenet.errors import Code, Edit


class Flaw(NamedTuple):
    """Something wrong, or probably not meant, with a value, wherever it stands."""

    code: Code
    message: str
    edit: Edit | None = None


# Reading
UNREADABLE_FILE = Code("RN001", "unreadable-file", "error", "A file that does not exist or cannot be read.")
NOT_YAML = Code("RN002", "not-yaml", "error", "Text that is not valid YAML.")
YAML_FEATURE = Code(
    "RN003", "yaml-feature", "error", "An anchor, alias, tag, empty block, compound key or second document."
)
DUPLICATE_KEY = Code("RN004", "duplicate-key", "error", "A field that is given twice in the same mapping.")
TOO_LARGE = Code("RN005", "too-large", "error", "A file that is too long, or nested too deeply.")
NOT_A_RULE_FILE = Code("RN006", "not-a-rule-file", "error", "An empty file, or one that is not a mapping.")
MIXED_LINE_ENDS = Code("RN007", "mixed-line-ends", "info", "Lines that end in different ways (Windows, Unix).")
ODD_CHARACTER = Code(
    "RN008", "odd-character", "error", "A tab, wide space, colon or comma, or a dash or line break of another kind."
)
UNWRITABLE_FILE = Code("RN009", "unwritable-file", "error", "A file that cannot be written without changing more.")
# Fields
MISSING_FIELD = Code("RN011", "missing-field", "error", "A field that is required.")
UNKNOWN_FIELD = Code("RN012", "unknown-field", "error", "A field that does not exist, often a spelling mistake.")
WRONG_TYPE = Code("RN013", "wrong-type", "error", "A text where a list, mapping or number is needed, and the like.")
UNKNOWN_CHOICE = Code("RN014", "unknown-choice", "error", "A value that is not one of those the field can have.")
OUT_OF_RANGE = Code(
    "RN015", "out-of-range", "error", "A number that is too large or small, or a text that is too long."
)
WRONG_COUNT = Code("RN016", "wrong-count", "error", "A list that is empty, or has too few or too many entries.")
UNKNOWN_VERSION = Code("RN017", "unknown-version", "error", "A format version that this rulenet does not read.")
# What YAML does silently
CUT_BY_COMMENT = Code("RN021", "cut-by-comment", "warning", "A text cut by ' #', which begins a comment.")
PERHAPS_A_CLASS = Code("RN022", "perhaps-a-class", "warning", "A set of characters in brackets, read as a list.")
YAML_ESCAPE = Code("RN023", "yaml-escape", "warning", "A control character, as from an escape in double quotes.")
HIDDEN_CHARACTER = Code(
    "RN024", "hidden-character", "warning", "A character that cannot be seen, or turns a line round."
)
# Fields that do not go together
ONE_KIND = Code("RN101", "one-kind", "error", "A mapping with no kind of condition, or with several.")
MISPLACED_OPTION = Code("RN102", "misplaced-option", "error", "An option that this kind of condition does not have.")
CONFLICTING_FIELDS = Code("RN103", "conflicting-fields", "error", "Fields of which only one can be given.")
BAD_BOUNDS = Code("RN104", "bad-bounds", "error", "Bounds or dates that are missing or exclude everything.")
WRONG_SIGN = Code("RN105", "wrong-sign", "error", "A weight that contradicts the sign of the rule.")
# Names and content
NO_RULES = Code("RN201", "no-rules", "error", "A file without rules.")
DUPLICATE_ID = Code("RN202", "duplicate-id", "error", "An id that another rule has.")
UNKNOWN_LABEL = Code("RN203", "unknown-label", "error", "A label that is not declared under `labels`.")
DUPLICATE_LABEL = Code("RN204", "duplicate-label", "error", "A label that is declared twice.")
UNKNOWN_LEXICON = Code("RN205", "unknown-lexicon", "error", "A lexicon that does not exist.")
EMPTY_LEXICON = Code("RN206", "empty-lexicon", "error", "A lexicon or word list without entries.")
LEXICON_CIRCLE = Code("RN207", "lexicon-circle", "error", "Lexicons that include each other.")
DUPLICATE_LEXICON = Code("RN208", "duplicate-lexicon", "error", "A lexicon that another file also defines.")
BAD_PATH = Code("RN209", "bad-path", "error", "A path to another file that may not be read.")
INCLUDE_CIRCLE = Code("RN210", "include-circle", "error", "Files that include each other.")
OTHER_LANGUAGE = Code("RN211", "other-language", "error", "An included file that is written for another language.")
BAD_WORD_LIST = Code("RN212", "bad-word-list", "error", "A CSV word list with a wrong header, row or weight.")
NO_CHINESE_WORD = Code("RN213", "no-chinese-word", "error", "An entry of `words` that is no Chinese word or name.")
SIMILAR_LABEL = Code("RN214", "similar-label", "warning", "Labels that differ only in case, spaces or one letter.")
MIXED_ALPHABETS = Code("RN215", "mixed-alphabets", "warning", "Letters of other alphabets that look like Latin ones.")
UNFINDABLE = Code("RN220", "unfindable", "error", "A word or phrase without a letter or digit, which is never found.")
SEVERAL_WORDS = Code("RN221", "several-words", "error", "Several words under `word`.")
BAD_REGEX = Code("RN222", "bad-regex", "error", "A regular expression that RE2 does not accept.")
BAD_POS = Code("RN223", "bad-pos", "error", "A part-of-speech pattern that cannot be read.")
BAD_VALUE = Code("RN224", "bad-value", "error", "A condition that cannot work with this value.")
# Words and patterns
IGNORED_SYMBOL = Code("RN301", "ignored-symbol", "warning", "A symbol that is ignored, as in C++.")
PERHAPS_A_LIST = Code("RN302", "perhaps-a-list", "warning", "A text with commas that was probably meant as a list.")
COMMON_WORD = Code("RN303", "common-word", "warning", "A word of nearly every text.")
IGNORED_CASE = Code("RN304", "ignored-case", "warning", "A name in capitals that is also a common word.")
DUPLICATE_ENTRY = Code("RN305", "duplicate-entry", "info", "An entry that an earlier one of the list covers.")
IDLE_OPTION = Code("RN306", "idle-option", "warning", "An option or bound that changes nothing.")
MISSING_PACKAGE = Code("RN307", "missing-package", "warning", "A rule that needs a package that is not installed.")
UNUSED_LEXICON = Code("RN308", "unused-lexicon", "warning", "A lexicon that no rule uses.")
RARE_FIELD = Code("RN309", "rare-field", "warning", "A field of records that looks like a misspelling of another.")
STRAY_SPACE = Code("RN310", "stray-space", "info", "Spaces at the ends of a text, which are ignored.")
REGEX_BACKSPACE = Code("RN320", "regex-backspace", "error", "\\b in double quotes, which YAML reads as a backspace.")
REGEX_MATCHES_ALL = Code("RN321", "regex-matches-all", "warning", "A pattern that matches (nearly) every text.")
REGEX_CLEANED = Code("RN322", "regex-cleaned", "warning", "Characters that no text contains when it is matched.")
REGEX_BOUNDARY = Code("RN323", "regex-boundary", "warning", "\\b next to a letter that is not ASCII.")
REGEX_CLASS = Code("RN324", "regex-class", "warning", "Square brackets that contain more or less than they seem to.")
REGEX_IDLE_END = Code("RN325", "regex-idle-end", "warning", "A pattern that begins or ends with .*")
REGEX_INSIDE = Code("RN326", "regex-inside", "info", "A pattern that is also found inside longer words.")
REGEX_REPEATS = Code("RN327", "regex-repeats", "warning", "A part that is repeated so often that matching is slow.")
POS_NEVER_HITS = Code("RN330", "pos-never-hits", "warning", "A part-of-speech item that hardly any token can match.")
UNKNOWN_WORD = Code("RN331", "unknown-word", "info", "A `segmented` word that jieba does not know.")
SIMPLER_FORM = Code("RN340", "simpler-form", "info", "A condition that another kind expresses more plainly.")
# Logic
NEVER_FIRES = Code("RN401", "never-fires", "error", "A rule or condition that no text can fulfil.")
ALWAYS_FIRES = Code("RN402", "always-fires", "warning", "A rule that fires on every text.")
DEAD_ALTERNATIVE = Code("RN403", "dead-alternative", "warning", "An alternative of a rule that can never hit.")
DUPLICATE_RULE = Code("RN404", "duplicate-rule", "warning", "A rule that fires on the same texts as another.")
CANCELLED_RULE = Code("RN405", "cancelled-rule", "warning", "A rule whose evidence another one cancels out.")
CONTAINED_RULE = Code("RN406", "contained-rule", "warning", "A rule all of whose words another rule also has.")
SLOW_RULE = Code("RN407", "slow-rule", "warning", "A rule that needs the tags of every text.")
FIRES_BY_ABSENCE = Code("RN408", "fires-by-absence", "warning", "A rule that fires wherever something is absent.")
WRONG_LANGUAGE = Code("RN409", "wrong-language", "warning", "A condition that does not suit the language of the file.")
INACTIVE_RULE = Code("RN410", "inactive-rule", "info", "A rule that is disabled or does not fire yet.")
EXPIRED_RULE = Code("RN411", "expired-rule", "warning", "A rule that no longer fires.")
IDLE_WEIGHT = Code("RN412", "idle-weight", "warning", "A rule whose weight stays 0.")
LABEL_WITHOUT_RULE = Code("RN413", "label-without-rule", "info", "A label that no rule supports.")
# Examples and cases
CONTRADICTING_EXAMPLES = Code("RN501", "contradicting-examples", "error", "An example under both match and reject.")
FAILING_EXAMPLE = Code("RN502", "failing-example", "error", "An example that contradicts its rule.")
IMPOSSIBLE_CASE = Code("RN503", "impossible-case", "warning", "A case with a label that is not declared.")
# Comments that ignore codes
UNUSED_IGNORE = Code("RN601", "unused-ignore", "warning", "A comment that ignores a code that does not occur there.")
UNKNOWN_CODE = Code("RN602", "unknown-code", "warning", "A comment that ignores no code, or one that does not exist.")
IGNORED_ERROR = Code("RN603", "ignored-error", "warning", "A comment that ignores an error; errors cannot be ignored.")

CODES = tuple(value for value in list(globals().values()) if isinstance(value, Code))


def table() -> str:
    """All codes as a Markdown table, as the documentation shows it.

    Examples
    --------
    >>> print(table().splitlines()[11])
    | RN011 `missing-field` | error | A field that is required. |
    """
    rows = [f"| {code.number} `{code.name}` | {code.severity} | {code.meaning} |" for code in CODES]
    return "\n".join(["| code | severity | what is wrong |", "|---|---|---|", *rows]) + "\n"
