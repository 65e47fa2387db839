"""What is read of a text: the same pieces by every way, long texts by every strategy, from the cache or not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from rulenet.errors import ParameterError  # noqa: E402
from rulenet.model.batches import token_budget_batches  # noqa: E402
from rulenet.model.encoders.encoder import LONG_TEXTS, Encoder  # noqa: E402
from rulenet.model.encoders.load import load_encoder  # noqa: E402
from rulenet.model.layers import last_hidden, lower_states, only_layers  # noqa: E402
from rulenet.text.clean import clean  # noqa: E402
from rulenet.training.recipe import Recipe  # noqa: E402

CLS, SEP = 2, 3
LETTERS = "b c d e f g h i j k l m n o p q r s t u v w x y z"  # every letter is one word piece
TEXTS = [
    "the goal",
    "",
    "<b>Oil</b> price&nbsp;lost &amp; the team won",
    "a [SEP] b [CLS]",
    LETTERS,
    "unbelievable market " * 30,
    "油价 oil\U0001f600 e\u0301 \ud800 oil",
    "goal " * 12_000,
]


def new(folder: str, long_texts: str = "head", max_length: int = 10, max_chunks: int = 4) -> Encoder:
    return load_encoder(folder, texts=[], max_length=max_length, seed=0, long_texts=long_texts, max_chunks=max_chunks)


def words(encoder: Encoder, row: Any) -> str:
    return " ".join(encoder.tokenizer.id_to_token(int(piece)) for piece in row)


@pytest.mark.parametrize(
    ("long_texts", "length", "expected"),
    [
        ("head", 10, "[CLS] b c d e f g h i [SEP]"),
        ("head_tail", 10, "[CLS] b c d e w x y z [SEP]"),
        ("head_tail", 9, "[CLS] b c d e x y z [SEP]"),  # of an odd length, the beginning gets one more
        ("chunks", 10, "[CLS] b c d e f g h i [SEP] [CLS] j k l m n o p q [SEP] [CLS] r s t u v w x y [SEP] [CLS] z [SEP]"),
    ],
)  # fmt: skip
def test_what_is_read_of_a_long_text(tiny_encoder: str, long_texts: str, length: int, expected: str) -> None:
    encoder = new(tiny_encoder, long_texts, length)
    assert words(encoder, encoder.encode([LETTERS])[0]) == expected


def test_no_more_windows_than_allowed(tiny_encoder: str) -> None:
    for max_chunks in (1, 2):
        encoder = new(tiny_encoder, "chunks", max_chunks=max_chunks)
        row = encoder.encode([LETTERS])[0]
        assert len(row) == encoder.longest_row == 10 * max_chunks
        assert words(encoder, row).split()[-2] == LETTERS.split()[8 * max_chunks - 1]


@pytest.mark.parametrize("long_texts", LONG_TEXTS)
def test_a_text_that_fits_is_read_once_and_whole(tiny_encoder: str, long_texts: str) -> None:
    encoder = new(tiny_encoder, long_texts)
    for n_letters in (0, 7, 8):
        letters = LETTERS.split()[:n_letters]
        assert words(encoder, encoder.encode([" ".join(letters)])[0]).split() == ["[CLS]", *letters, "[SEP]"]


@pytest.mark.parametrize("long_texts", LONG_TEXTS)
def test_a_huge_text_is_read_as_a_long_one_and_the_longest_rows_tell_that_both_were_cut(
    tiny_encoder: str, long_texts: str
) -> None:
    encoder = new(tiny_encoder, long_texts, max_chunks=2)
    short, long, huge = encoder.encode(["oil " * 7, *(f"goal {'oil ' * n} bank" for n in (100, 100_000))])
    assert long.tolist() == huge.tolist()
    assert len(short) < encoder.longest_row == len(long)


@pytest.mark.parametrize("long_texts", LONG_TEXTS)
def test_offsets_belong_to_the_same_pieces(tiny_encoder: str, long_texts: str) -> None:
    encoder = new(tiny_encoder, long_texts)
    found = encoder.encode_with_offsets(TEXTS)
    assert [ids for ids, _ in found] == [row.tolist() for row in encoder.encode(TEXTS)]
    for text, (ids, places) in zip(TEXTS, found, strict=True):
        assert len(places) == len(ids)
        for piece, (start, end) in zip(words(encoder, ids).split(), places, strict=True):
            at = clean(text)[start:end]
            if (start, end) == (0, 0):
                assert piece in ("[CLS]", "[SEP]")
            elif piece != "[UNK]":
                assert at.lower().replace("é", "e") == piece.lower().removeprefix("##")


def test_offsets_of_the_end_of_a_huge_text(tiny_encoder: str) -> None:
    encoder = new(tiny_encoder, "head_tail")
    text = f"goal {'oil ' * 10_000}bank"
    ids, places = encoder.encode_with_offsets([text])[0]
    assert words(encoder, ids) == "[CLS] goal oil oil oil oil oil oil bank [SEP]"
    assert [text[start:end] for start, end in places[1:-1]] == ["goal", *["oil"] * 6, "bank"]
    assert places[-2] == (len(text) - 4, len(text))


def test_an_unknown_strategy_is_refused(tiny_encoder: str) -> None:
    with pytest.raises(ParameterError, match="long_texts='tail' is not one of 'head', 'head_tail', 'chunks'"):
        new(tiny_encoder, "tail")


def test_blocks_do_not_show(tiny_encoder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = new(tiny_encoder)
    whole = encoder.encode(TEXTS)
    monkeypatch.setattr("rulenet.model.encoders.encoder._BLOCK", 3)
    parts = encoder.encode(TEXTS)
    np.testing.assert_array_equal(whole.values, parts.values)
    np.testing.assert_array_equal(whole.offsets, parts.offsets)


def test_a_recipe_takes_the_same_strategies() -> None:
    assert [Recipe.of(long_texts=name).reading.long_texts for name in LONG_TEXTS] == list(LONG_TEXTS)


# ---------------------------------------------------------------------- padding and windows


def test_padding(tiny_encoder: str) -> None:
    encoder = new(tiny_encoder)
    ids, mask = encoder.pad([np.array([CLS, 5, SEP]), [CLS, SEP]])
    assert ids.tolist() == [[CLS, 5, SEP], [CLS, SEP, encoder.pad_id]]
    assert mask.tolist() == [[1, 1, 1], [1, 1, 0]]
    states, mask = encoder.pad([torch.ones(1, 2), torch.ones(2, 2)])
    assert states.tolist() == [[[1, 1], [0, 0]], [[1, 1], [1, 1]]]
    assert mask.tolist() == [[1, 0], [1, 1]]


def test_rows_of_several_windows_are_padded_to_whole_windows(tiny_encoder: str) -> None:
    encoder = new(tiny_encoder, "chunks")
    for longest, width in ((9, 9), (10, 10), (11, 20), (20, 20), (21, 30)):
        ids, mask = encoder.pad([[CLS] * longest, [CLS]])
        assert ids.shape == mask.shape == (2, width)
        assert mask.sum(1).tolist() == [longest, 1]


@torch.inference_mode()
def test_windows_are_read_separately(tiny_encoder: str) -> None:
    """Every window's states are those of the window as a separate text, whatever is next to it."""
    encoder = new(tiny_encoder, "chunks")
    body = encoder.model.eval()
    rows = encoder.encode([LETTERS, "oil price"])
    hidden = last_hidden(body, *encoder.pad(rows), encoder.max_length)
    assert hidden.shape == (2, 40, encoder.width)
    for i, row in enumerate(rows):
        for at in range(0, len(row), 10):
            window = torch.tensor(row[at : at + 10].tolist())
            alone = body(window[None]).last_hidden_state[0]
            torch.testing.assert_close(hidden[i, at : at + len(window)], alone, atol=1e-5, rtol=0)


@torch.inference_mode()
def test_lower_layers_apart_read_the_same_windows(tiny_encoder: str) -> None:
    encoder = new(tiny_encoder, "chunks")
    rows = encoder.encode([LETTERS, "oil price", LETTERS[:30]])
    whole = last_hidden(encoder.model.eval(), *encoder.pad(rows), encoder.max_length)
    states = lower_states(encoder, rows, 1, [[1, 0], [2]])
    assert [len(state) for state in states] == rows.lengths.tolist()
    with only_layers(encoder.model, 1, None) as upper:
        inputs, mask = encoder.pad(states)
        after = last_hidden(upper, inputs, mask, encoder.max_length)
    torch.testing.assert_close(after[mask.bool()], whole[mask.bool()], atol=1e-5, rtol=0)


def test_gradients_flow_through_windows(tiny_encoder: str) -> None:
    encoder = new(tiny_encoder, "chunks")
    inputs, mask = encoder.pad(encoder.encode([LETTERS]))
    last_hidden(encoder.model, inputs, mask, encoder.max_length)[mask.bool()].square().mean().backward()
    gradient = encoder.model.embeddings.word_embeddings.weight.grad
    z, unread = encoder.tokenizer.token_to_id("z"), encoder.tokenizer.token_to_id("goal")
    assert gradient[z].abs().sum() > 0
    assert gradient[unread].abs().sum() == 0


def test_batches_of_windows_stay_within_the_budget(tiny_encoder: str) -> None:
    encoder = new(tiny_encoder, "chunks")
    rows = encoder.encode([LETTERS[: 2 * n] for n in range(26)] * 3)
    for batch in token_budget_batches(rows.lengths, budget=80, window=encoder.max_length):
        assert encoder.pad(rows.take(batch))[0].numel() <= 80


# ---------------------------------------------------------------------- cache


class NoTokenizer:
    """Knows what it is, and refuses to work."""

    def __init__(self, tokenizer: Any) -> None:
        self.to_str = tokenizer.to_str


def test_a_hit_tokenises_nothing(tiny_encoder: str, tmp_path: Path) -> None:
    encoder = new(tiny_encoder)
    first = encoder.encode(TEXTS, cache=tmp_path / "cache")
    encoder.tokenizer = NoTokenizer(encoder.tokenizer)
    again = encoder.encode(TEXTS, cache=tmp_path / "cache")
    assert [row.tolist() for row in again] == [row.tolist() for row in first]
    np.testing.assert_array_equal(encoder.pad(again)[0], encoder.pad(first)[0])


def test_an_entry_is_for_these_texts_and_this_way_of_reading(tiny_encoder: str, tmp_path: Path) -> None:
    head = new(tiny_encoder)
    calls: list[tuple[Encoder, list[str]]] = [
        (head, ["goal", "win"]),
        (head, ["win", "goal"]),
        (head, ["goalwin"]),
        (head, ["goal", "win", ""]),
        (new(tiny_encoder, max_length=9), ["goal", "win"]),
        (new(tiny_encoder, "head_tail"), ["goal", "win"]),
        (new(tiny_encoder, "chunks"), ["goal", "win"]),
        (load_encoder("scratch", texts=["goal win"] * 3, max_length=10, seed=0), ["goal", "win"]),
    ]
    for n, (encoder, texts) in enumerate(calls, start=1):
        rows = encoder.encode(texts, cache=tmp_path)
        assert len(list(tmp_path.iterdir())) == n
        assert [row.tolist() for row in rows] == [row.tolist() for row in encoder.encode(texts)]
    for encoder, texts in calls:
        encoder.encode(texts, cache=tmp_path)
    assert len(list(tmp_path.iterdir())) == len(calls)


def test_a_damaged_entry_is_made_again(tiny_encoder: str, tmp_path: Path) -> None:
    encoder = new(tiny_encoder)
    expected = encoder.encode(TEXTS, cache=tmp_path).values
    (entry,) = tmp_path.iterdir()
    entry.write_bytes(entry.read_bytes()[:-4])
    with pytest.warns(UserWarning, match=r"rows cannot be read.*tokenised again"):
        np.testing.assert_array_equal(encoder.encode(TEXTS, cache=tmp_path).values, expected)
    encoder.tokenizer = NoTokenizer(encoder.tokenizer)
    np.testing.assert_array_equal(encoder.encode(TEXTS, cache=tmp_path).values, expected)


def test_a_cache_that_cannot_be_written_does_not_stop_the_work(tiny_encoder: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.warns(UserWarning, match="cannot be written.*tokenised again next time"):
        assert len(new(tiny_encoder).encode(TEXTS, cache=tmp_path / "file")) == len(TEXTS)
