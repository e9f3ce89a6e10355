"""A language model of random weights with a tokenizer of single words. Needs PyTorch and transformers."""

from __future__ import annotations


def make_model(folder, words: list[str], width: int = 16, layers: int = 2, context: int = 64, change=None):
    """A GPT-NeoX and its tokenizer in a folder; ``change`` is called with the model before it is saved."""
    import torch
    import transformers
    from tokenizers import Tokenizer, models, pre_tokenizers

    tokenizer = Tokenizer(models.WordLevel({word: i for i, word in enumerate(words)}, unk_token=words[0]))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    torch.manual_seed(0)
    config = transformers.GPTNeoXConfig(
        vocab_size=len(words), hidden_size=width, num_hidden_layers=layers, num_attention_heads=2,
        intermediate_size=32, max_position_embeddings=context, bos_token_id=0, eos_token_id=0, initializer_range=0.5,
        tie_word_embeddings=False,
    )  # fmt: skip
    model = transformers.GPTNeoXForCausalLM(config)
    if change:
        change(model)
    model.save_pretrained(folder)
    transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer).save_pretrained(folder)
    return folder
