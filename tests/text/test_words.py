"""rulenet.text.words: what a word is, in many scripts, and that every reader of it agrees."""

from __future__ import annotations

import random
import re
import sys
import unicodedata

from hypothesis import given, settings
from hypothesis import strategies as st

from rulenet import RuleSet
from rulenet.features.tfidf import Analyzer
from rulenet.text.clean import clean
from rulenet.text.fold import fold, words_with_offsets
from rulenet.text.tokenise import Tokeniser
from rulenet.text.words import _PERHAPS_MARKS, APOSTROPHES, UNSPACED, plain, shadow, unit_spans, word_spans

# Cases of Unicode's WordBreakTest as far as they concern words; · is where the annex breaks, and words are compared.
ANNEX = [
    # (text, words)
    ("can't", ["can't"]),
    ("can\u2019t", ["can\u2019t"]),
    ("A\u0308A", ["A\u0308A"]),  # marks belong to the letter before
    ("A\u0308_\u03080\u0308", ["A\u0308_\u03080\u0308"]),
    ("\u0308A", ["A"]),  # but need one
    (" \u0308A", ["A"]),
    ("A_1", ["A_1"]),
    ("1_A\u0308", ["1_A\u0308"]),
    ("A'A", ["A'A"]),
    ("A\u0308'A", ["A\u0308'A"]),
    ("A''A", ["A", "A"]),
    ("A\u00b7A", ["A\u00b7A"]),
    ("A\u2027A", ["A\u2027A"]),
    ("A\u00b7 A", ["A", "A"]),
    ("A'1", ["A", "1"]),
    ("1'A", ["1", "A"]),
    ("1.1", ["1.1"]),
    ("1,1", ["1,1"]),
    ("1;1", ["1;1"]),
    ("1'1", ["1'1"]),
    ("1..1", ["1", "1"]),
    ("1.,1", ["1", "1"]),
    ("1:1", ["1", "1"]),
    ("3a", ["3a"]),
    ("a3.5b", ["a3.5b"]),
    ("a,b", ["a", "b"]),
    ("3.a", ["3", "a"]),
    ("\u0661\u066b\u0665 \u0661\u066c\u0660", ["\u0661\u066b\u0665", "\u0661\u066c\u0660"]),  # Arabic 1.5 and 1,0
    ("א'א", ["א'א"]),
    ('א"א', ['א"א']),
    ('א"', ["א"]),
    ('"א"', ["א"]),
    ('a"a', ["a", "a"]),
    ("(1) [a] {b}", ["1", "a", "b"]),
    ("a-b a/b a&b a@b", ["a", "b"] * 4),
    ("한국어", ["한국어"]),
    ("\u1100\u1161\u11a8", ["\u1100\u1161\u11a8"]),
    ("\U0001d5d4\U0001d5d5", ["\U0001d5d4\U0001d5d5"]),
    ("\U0001f476\U0001f3ff", []),
    ("❤\ufe0f a", ["a"]),
]
# Where rules are served better by something else, as the docstring says.
TAILORED = [
    ("late.The e.g. U.S.", ["late", "The", "e", "g", "U", "S"]),
    ("A:A", ["A", "A"]),
    ("A\u02bcA \u02bcA\u02bc", ["A\u02bcA", "A"]),
    ("the company's dogs' 1990's CEO’S", ["the", "company", "'s", "dogs", "1990", "'s", "CEO", "’S"]),
    ("It's THAT’S let`s", ["It's", "THAT’S", "let`s"]),
    ("bit's", ["bit", "'s"]),
    ("company 's", ["company", "'s"]),
    ("'quoted' ‘quoted’", ["quoted", "quoted"]),
    ("א' 'א'", ["א", "א"]),
    ("买iPhone15了", ["买", "iPhone15", "了"]),
    ("カメラ と ไทย", ["カメラ", "と", "ไทย"]),
]
CONTRACTIONS = """
won't can't don't isn't aren't wasn't weren't doesn't didn't haven't hasn't hadn't couldn't wouldn't shouldn't mustn't needn't shan't
ain't mightn't I'm I've I'd I'll you're you've you'd you'll he'd he'll she'd she'll we're we've we'd we'll they're they've they'd they'll
it's it'd it'll that's that'll what's what're who's who'd who'll where's when's why's how's here's there's let's ma'am o'clock y'all
c'mon could've should've would've might've must've wouldn't've y'all'd've rock'n'roll O'Neill D'Angelo
"""
# Letters, and marks that a letter may carry, of scripts with spaces.
SCRIPTS = {
    "Latin": ("abcdéñøşžđ", "\u0323\u0331"),
    "Vietnamese": ("aăâeêioôơuưyđ", "\u0300\u0301\u0303\u0309\u0323"),
    "Greek": ("αβγδεζηθ", "\u0313\u0345"),
    "Cyrillic": ("абвгдежз", "\u0301"),
    "Armenian": ("աբգդեզ", ""),
    "Georgian": ("აბგდევ", ""),
    "Hebrew": ("אבגדהוזחטי", ""),
    "Arabic": ("ابتثجحخدذر", ""),
    "Devanagari": ("कखगघचछजझ", "ािीुूेैोौं्ँः"),
    "Bengali": ("কখগঘঙচছ", "ািীুূেৈং"),
    "Gurmukhi": ("ਕਖਗਘਚਛ", "ਾਿੀੁੂੇੈੰ"),
    "Gujarati": ("કખગઘચછ", "ાિીુૂેૈં"),
    "Tamil": ("கஙசஞடண", "ாிீுூெேை்"),
    "Telugu": ("కఖగఘచఛ", "ాిీుూెేైం"),
    "Kannada": ("ಕಖಗಘಚಛ", "ಾಿೀುೂೆೇೈ"),
    "Malayalam": ("കഖഗഘചഛ", "ാിീുൂെേൈ്"),
    "Sinhala": ("කඛගඝචඡ", "ාිීුූෙේ්"),
    "Tibetan": ("ཀཁགངཅཆ", "ིེོུ"),
    "Korean": ("가나다라마바사", ""),
    "Ethiopic": ("ሀለሐመሠረ", ""),
    "Thaana": ("ހށނރބޅ", "ަިުެޮ"),
    "Syriac": ("ܐܒܓܕܗ", "\u0730\u0733"),
    "Cherokee": ("ꭰꭱꭲꭳꭴ", ""),
    "N'Ko": ("ߊߋߌߍߎ", "\u07eb\u07ec"),
    "Javanese": ("ꦏꦒꦔꦕ", "ꦴꦶꦸ"),
    "Adlam": ("𞤀𞤁𞤂𞤃", "\U0001e944\U0001e945"),
    "Chakma": ("𑄇𑄈𑄉𑄊", "\U00011127\U00011128"),
}
BETWEEN = [" ", "  ", ", ", ". ", " - ", "/", "\n", "? ", " (", ") ", " “", "” ", "…", "\t", "; "]


def invented(rng: random.Random, script: str) -> str:
    letters, marks = SCRIPTS[script]
    return "".join(
        rng.choice(letters) + (rng.choice(marks) if marks and rng.random() < 0.6 else "")
        for _ in range(rng.randint(1, 6))
    )


def test_cases_of_the_annex_and_departures_from_it() -> None:
    cases = [*ANNEX, *TAILORED]
    assert [(text, [text[start:end] for start, end in word_spans(text)]) for text, _ in cases] == cases


def test_a_rule_for_a_word_in_any_script() -> None:
    """A rule for one of the words of a text fires exactly there, never on words that begin or end the same way."""
    rng = random.Random(0)
    for _ in range(150):
        script = rng.choice(list(SCRIPTS))
        words = [unicodedata.normalize("NFC", invented(rng, script)) for _ in range(6)]
        word = rng.choice(words)
        text, spans = "", []
        for other in [
            *words,
            word + rng.choice(SCRIPTS[script][0]),
            word + (SCRIPTS[script][1][:1] or "x"),
            "x" + word,
        ]:
            text += rng.choice(BETWEEN)
            if clean(other).casefold() == clean(word).casefold():
                spans.append((len(text), len(text) + len(other)))
            text += other
        text += " zzz"
        rules = RuleSet.from_yaml(
            "rulenet: 1\nlanguage: en\nrules:\n"
            f'  - {{id: word, label: a, word: "{word}"}}\n  - {{id: exact, label: a, word: "{word}", case: exact}}\n'
            f'  - {{id: near, label: a, near: {{terms: ["{word}", zzz], within: 50}}}}\n'
        )
        near = [(start, len(text)) for start, _ in spans]
        assert rules.spans(text) == {"word": spans, "exact": spans, "near": near}, (script, word, text)
        assert rules.match([text]).indices.tolist() == [0, 1, 2]


def test_contractions_are_one_word_however_the_apostrophe_is_typed() -> None:
    for word in CONTRACTIONS.split():
        for apostrophe in "'’‘ʼ`´′＇":
            typed = clean(word.replace("'", apostrophe))
            assert fold(f"We {typed}.").split() == ["we", word.lower()], typed
            assert [token.text for token in Tokeniser("en").tokens(typed)] == [typed]
            pieces = [piece for piece in word.lower().split("'") if piece]
            for piece in pieces:
                assert f" {piece} " not in fold(typed)
            assert not {*Analyzer(Tokeniser("en"), (1, 1)).terms(typed)} & set(pieces)


def test_forms_are_no_pieces_of_contractions() -> None:
    rules = RuleSet.from_yaml(
        "rulenet: 1\nlanguage: en\nrules: [{id: a, label: a, word: [be, do, have, will, not, can], forms: lemma}]"
    )
    for word in CONTRACTIONS.split():
        for apostrophe in "'’":
            assert rules.spans(word.replace("'", apostrophe)) == {}, word
    assert rules.spans("It was done") == {"a": [(3, 6), (7, 11)]}


def test_vowel_points_do_not_tell_words_apart() -> None:
    for pointed, bare in [
        ("שָׁלוֹם", "שלום"),
        ("مُحَمَّد", "محمد"),
        ("كِتَابٌ", "كتاب"),
        ("محـــمد", "محمد"),
        ("אֱלֹהִים", "אלהים"),
    ]:
        for rule, text in [(pointed, bare), (bare, pointed), (pointed, pointed)]:
            rules = RuleSet.from_yaml(f"rulenet: 1\nlanguage: en\nrules: [{{id: a, label: a, word: '{rule}'}}]")
            assert rules.spans(f"x {text}, y") == {"a": [(2, 2 + len(text))]}
    assert fold("ـ").split() == ["ـ"]


def test_terms_are_whole_words() -> None:
    for text in ["आधुनिक मानक हिन्दी", "தமிழ் மொழி", "বাংলা ভাষা", "ภาษา"]:
        assert Analyzer(Tokeniser("en"), (1, 1))(text) == text.split()
    assert Analyzer(Tokeniser("en"), (1, 1))(unicodedata.normalize("NFD", "tiếng Việt")) == ["tiếng", "việt"]
    assert Analyzer(Tokeniser("en"), (1, 2))("The firm's loss") == ["the", "firm", "loss", "the firm", "firm loss"]


ANY = st.text(
    st.sampled_from("aZsnt'’‘`ʼ\".,;·_- 19דक\u093f\u0301مُ中ไ한😀\ufe0f\u0640")
    | st.characters(exclude_categories=["Cs"]),
    max_size=25,
)


@settings(deadline=None, max_examples=300)
@given(ANY)
def test_all_readers_agree(raw: str) -> None:
    text = clean(raw)
    spans = list(word_spans(text))
    words = words_with_offsets(text)
    assert [(start, end) for _, start, end in words] == spans
    assert [word for word, _, _ in words] == fold(text).split() == [plain(text[a:b].casefold()) for a, b in spans]
    assert fold(fold(text)) == fold(text)
    tokens = {(token.start, token.end) for token in Tokeniser("en").tokens(text)}
    assert tokens.issuperset(spans)
    assert {start for start, _ in spans} <= {start for start, _ in unit_spans(text)}
    assert " ".join(word for word, _, _ in words).split() == [word for word, _, _ in words]


@settings(deadline=None, max_examples=300)
@given(st.text(st.sampled_from("itaSs'`.,;_- 19\"") | st.characters(max_codepoint=127), max_size=20).map(clean))
def test_ascii_takes_a_short_cut_to_the_same_words(text: str) -> None:
    assert fold(text).split() == fold(f"{text} é").split()[:-1]


def test_marks_are_found_wherever_they_are() -> None:
    unspaced = re.compile(f"[{UNSPACED}]")
    for code in range(sys.maxunicode + 1):
        if unicodedata.category(chr(code))[0] == "M" and not unspaced.match(chr(code)):
            assert _PERHAPS_MARKS.match(chr(code)), hex(code)
    assert len(shadow("a\u0301\u093f" + APOSTROPHES)) == 3 + len(APOSTROPHES)
