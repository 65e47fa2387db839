"""``"scratch"``: a two-layer BERT with random weights and a WordPiece tokenizer trained on the texts; any language, no network."""

from __future__ import annotations

from rulenet.model.encoders.encoder import Body, Traits
from rulenet.model.encoders.source import Source, Wanted
from rulenet.text.clean import clean

TRAITS = Traits(pretrained=False, learning_rate=1e-3, epochs=10, can_mask=True)


def _load(wanted: Wanted) -> Body:
    import torch
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
    from transformers import BertConfig, BertModel

    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)  # puts spaces around Chinese characters
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    sample = [clean(text[:20_000]) for text in wanted.texts]
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    # The trainer numbers the ##pieces in the order of a hash map, which differs from run to run, and breaks ties by number.
    # Named beforehand, they have their numbers; then a fresh model, in which they are ordinary pieces again.
    pieces = sorted({f"##{char}" for text in sample for char in tokenizer.normalizer.normalize_str(text)})
    known = [*special, *pieces]
    trainer = trainers.WordPieceTrainer(vocab_size=8000, min_frequency=2, special_tokens=known, show_progress=False)
    tokenizer.train_from_iterator(sample, trainer)
    learned = models.WordPiece(tokenizer.get_vocab(), unk_token="[UNK]")
    normalizer, pre_tokenizer, decoder = tokenizer.normalizer, tokenizer.pre_tokenizer, tokenizer.decoder
    tokenizer = Tokenizer(learned)
    tokenizer.normalizer, tokenizer.pre_tokenizer, tokenizer.decoder = normalizer, pre_tokenizer, decoder
    tokenizer.add_special_tokens(special)
    ends = [("[CLS]", 2), ("[SEP]", 3)]
    tokenizer.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=ends)
    size = {"hidden_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 512}
    vocab, longest = tokenizer.get_vocab_size(), max(wanted.max_length, 8)
    config = BertConfig(vocab_size=vocab, max_position_embeddings=longest, **size)
    with torch.random.fork_rng():
        torch.manual_seed(wanted.seed)
        model = BertModel(config, add_pooling_layer=False)
    return Body(model, tokenizer, 0, TRAITS)


SOURCE = Source("scratch", _load, offline="trained on your texts")
