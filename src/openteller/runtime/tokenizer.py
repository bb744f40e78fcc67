"""The encoder's tokenizer: SentencePiece-unigram (Kudo 2018) with XLM-R's conventions, on the library tokenizers.

Knows nothing about models; texts come in as they are (the caller folds them).
"""

from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

from openteller.runtime.e5_weights import EncoderWeights

MAX_TOKENS = 256


def build_tokenizer(weights: EncoderWeights, max_tokens: int = MAX_TOKENS) -> Tokenizer:
    """The tokenizer of `weights`: ``<s> text </s>``, pairs as ``<s> a </s></s> b </s>``, cut at `max_tokens`."""
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
    tokenizer.enable_truncation(max_tokens)
    tokenizer.enable_padding(pad_id=special["pad"], pad_token="<pad>")
    return tokenizer
