"""A Whisper model of random weights: it hears nothing, but everything it is loaded and run by is real."""

import json

import numpy as np
from ctranslate2.specs import whisper_spec
from faster_whisper.tokenizer import _LANGUAGE_CODES
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

WORDS = 50_257
_LANGUAGES = list(_LANGUAGE_CODES)[:99]
_BYTES = [chr(c) for c in (*range(33, 127), *range(161, 173), *range(174, 256), *range(256, 324))]
_SPECIAL = [
    "<|endoftext|>",
    "<|startoftranscript|>",
    *(f"<|{language}|>" for language in _LANGUAGES),
    *("<|translate|>", "<|transcribe|>", "<|startoflm|>", "<|startofprev|>", "<|nospeech|>"),
    "<|notimestamps|>",
    *(f"<|{i * 0.02:.2f}|>" for i in range(1501)),
]


def write_tiny_whisper(folder, *, layers=1, width=64, heads=1, decoder_layers=1, seed=0, compute_type=None):
    """Write a model's files, the same ones each time; 16 MiB with the default sizes.

    The real "tiny" has 4 layers, a width of 384 and 6 heads; the real "small" 12, 768 and 12.

    Args:
        layers: of the encoder; the real ones' decoders have as many.
        compute_type: "int8" for smaller weights; None as they are.
    """
    folder.mkdir(parents=True, exist_ok=True)
    words = [*_BYTES, *(f"Ġw{i}" for i in range(WORDS - len(_BYTES)))]
    tokens = [*words, *_SPECIAL]
    number = {token: i for i, token in enumerate(tokens)}
    spec = whisper_spec.WhisperSpec(layers, heads, decoder_layers, heads)
    _fill(spec, np.random.default_rng(seed), width, len(tokens))
    spec.register_vocabulary(tokens)
    spec.config.suppress_ids = []
    spec.config.suppress_ids_begin = [220, number["<|endoftext|>"]]
    spec.config.lang_ids = [number[f"<|{language}|>"] for language in _LANGUAGES]
    spec.config.alignment_heads = [(decoder_layers - 1, head) for head in range(heads)]
    spec.validate()
    spec.optimize(quantization=compute_type)
    spec.save(str(folder))
    _write_tokenizer(folder / "tokenizer.json", words)
    cut = {"feature_size": 80, "sampling_rate": 16_000, "hop_length": 160, "chunk_length": 30, "n_fft": 400}
    (folder / "preprocessor_config.json").write_text(json.dumps(cut))
    return folder


def _fill(spec, random, width, token_count):
    def weights(*shape):
        return (random.standard_normal(shape) * 0.02).astype(np.float32)

    def linear(layer, outputs, inputs):
        layer.weight, layer.bias = weights(outputs, inputs), np.zeros(outputs, np.float32)

    def norm(layer):
        layer.gamma, layer.beta = np.ones(width, np.float32), np.zeros(width, np.float32)

    def attention(layer, sizes):
        norm(layer.layer_norm)
        for part, size in zip(layer.linear, sizes, strict=True):
            linear(part, size * width, width)

    def feed_forward(layer):
        norm(layer.layer_norm)
        linear(layer.linear_0, 4 * width, width)
        linear(layer.linear_1, width, 4 * width)

    encoder, decoder = spec.encoder, spec.decoder
    for convolution, inputs in ((encoder.conv1, 80), (encoder.conv2, width)):
        convolution.weight, convolution.bias = weights(width, inputs, 3), np.zeros(width, np.float32)
    encoder.position_encodings.encodings = weights(1500, width)
    decoder.position_encodings.encodings = weights(448, width)
    decoder.embeddings.weight = weights(token_count, width)
    decoder.projection.weight = decoder.embeddings.weight
    decoder.scale_embeddings = False
    norm(encoder.layer_norm)
    norm(decoder.layer_norm)
    for layer in encoder.layer:
        attention(layer.self_attention, (3, 1))
        feed_forward(layer.ffn)
    for layer in decoder.layer:
        attention(layer.self_attention, (3, 1))
        attention(layer.attention, (1, 2, 1))
        feed_forward(layer.ffn)


def _write_tokenizer(path, words):
    tokenizer = Tokenizer(models.BPE(vocab={word: i for i, word in enumerate(words)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in _SPECIAL])
    tokenizer.save(str(path))
