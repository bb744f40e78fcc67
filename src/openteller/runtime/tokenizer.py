"""The encoder's tokenizer, on the library tokenizers: SentencePiece-unigram (Kudo 2018) with XLM-R's conventions, or the one
that came with the weights.

Knows nothing about models; texts come in as they are (the caller folds them).
"""

from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

from openteller.runtime.encoder_weights import EncoderWeights

MAX_TOKENS = 256


def build_tokenizer(weights: EncoderWeights, max_tokens: int = MAX_TOKENS) -> Tokenizer:
    """The tokenizer of `weights`: ``<s> text </s>``, pairs as ``<s> a </s></s> b </s>``, cut at `max_tokens`.

    One that came with the weights keeps its own frame (``[CLS] a [SEP] b [SEP]``). No text is longer than the encoder's
    positions, whatever `max_tokens`.
    """
    tokenizer = Tokenizer.from_str(weights.tokenizer) if weights.tokenizer else _unigram(weights)
    pad = weights.special["pad"]
    tokenizer.enable_truncation(min(max_tokens, weights.positions))
    tokenizer.enable_padding(pad_id=pad, pad_token=tokenizer.id_to_token(pad))
    return tokenizer


def _unigram(weights: EncoderWeights) -> Tokenizer:
    special = weights.special
    tokenizer = Tokenizer(models.Unigram(weights.pieces, unk_id=special["unk"], byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex(r"\s+"), " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", special["bos"]), ("</s>", special["eos"])],
    )
    tokenizer.add_special_tokens([AddedToken(t, special=True) for t in ("<s>", "<pad>", "</s>", "<unk>")])
    return tokenizer
