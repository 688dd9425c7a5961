import dataclasses
import json
import os

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file
from torch import nn
from transformers import Wav2Vec2Config, Wav2Vec2Model, WhisperConfig
from transformers.models.whisper.modeling_whisper import WhisperEncoder as Oracle

from gsmooth_core.a2ep.encoders import (
    MelFrames,
    Wav2VecFrames,
    WhisperFrames,
    build_encoder,
    interpolate,
    standardise,
)
from gsmooth_core.a2ep.model import A2EP, load_checkpoint, save_checkpoint
from gsmooth_core.a2ep.whisper import WhisperDims, WhisperEncoder, log_mel, sinusoids
from gsmooth_core.errors import ModelError
from tests.a2ep.small import ALL_NAMES, CONFIG, babble, lively
from tests.a2ep.small import NAMES as COMPONENTS
from tests.attacks.checkpoints import changed, refused

NAMES = {
    "self_attn.q_proj": "attn.query",
    "self_attn.k_proj": "attn.key",
    "self_attn.v_proj": "attn.value",
    "self_attn.out_proj": "attn.out",
    "self_attn_layer_norm": "attn_ln",
    "fc1": "mlp.0",
    "fc2": "mlp.2",
    "final_layer_norm": "mlp_ln",
}
SMALL_WAV2VEC = {
    "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 48,
    "num_conv_pos_embeddings": 16, "num_conv_pos_embedding_groups": 2,
    "conv_dim": [16] * 7, "hidden_dropout": 0.0,
}  # fmt: skip


def oracle_state(oracle):
    """The oracle's weights under our names."""
    state = {}
    for name, tensor in oracle.state_dict().items():
        if name.startswith("layers."):
            _, layer, rest = name.split(".", 2)
            stem, kind = rest.rsplit(".", 1)
            state[f"blocks.{layer}.{NAMES[stem]}.{kind}"] = tensor
        elif name.startswith("conv"):
            state[name] = tensor
    return state


@pytest.fixture(scope="module")
def whisper_pair():
    config = WhisperConfig(
        d_model=32, encoder_layers=3, encoder_attention_heads=4, encoder_ffn_dim=128,
        attn_implementation="eager",
    )  # fmt: skip
    oracle = lively(Oracle(config))
    ours = WhisperEncoder(WhisperDims(32, 4, 3))
    ours.load_state_dict(oracle_state(oracle))
    with torch.no_grad():
        oracle.embed_positions.weight.copy_(ours.positions)
    return oracle, ours.eval()


def test_whisper_equals_its_oracle(whisper_pair):
    oracle, ours = whisper_pair
    mel = torch.randn(2, 80, 3000, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        layers = oracle(mel, output_hidden_states=True).hidden_states
        torch.testing.assert_close(oracle.layer_norm(ours.encode_mel(mel)), layers[-1])
        shallow = WhisperEncoder(WhisperDims(32, 4, 2)).eval()
        shallow.load_state_dict({k: v for k, v in ours.state_dict().items() if "blocks.2" not in k})
        torch.testing.assert_close(shallow.encode_mel(mel), layers[2])


def test_positions_are_the_published_ones():
    table = sinusoids(1500, 512)
    assert table[0, :256].abs().max() == 0
    assert torch.equal(table[0, 256:], torch.ones(256))
    angle = 7.0 * 10_000.0 ** (-100 / 255)
    assert table[7, 100] == pytest.approx(np.sin(angle), abs=1e-5)


def test_whisper_frames_are_read_at_their_middle(whisper_pair):
    _, ours = whisper_pair
    frames = WhisperFrames(ours.dims)
    frames.whisper.load_state_dict(ours.state_dict())
    audio = torch.from_numpy(babble(2.0))[None]
    with torch.inference_mode():
        torch.testing.assert_close(frames(audio, 50), ours(audio)[:, 1::2])


def test_wav2vec_interpolates_before_its_transformer():
    """The oracle is put together from transformers' own parts in the paper's order."""
    oracle = lively(Wav2Vec2Model(Wav2Vec2Config(**SMALL_WAV2VEC)))
    ours = Wav2VecFrames(oracle.config.to_dict()).eval()
    ours.wav2vec.load_state_dict(oracle.state_dict())
    audio = torch.from_numpy(babble(1.2))[None]
    with torch.inference_mode():
        conv = oracle.feature_extractor(standardise(audio)).transpose(1, 2)
        positions = torch.tensor([((i + 0.5) / 25 * 16_000 - 200) / 320 for i in range(30)])
        expected = oracle.encoder(oracle.feature_projection(interpolate(conv, positions))[0])[0]
        made = ours(audio, 30)
    assert made.shape == (1, 30, 32)
    torch.testing.assert_close(made, expected)


def test_wav2vec_loads_a_local_folder(tmp_path):
    oracle = lively(Wav2Vec2Model(Wav2Vec2Config(**SMALL_WAV2VEC)))
    oracle.save_pretrained(tmp_path)
    loaded = Wav2VecFrames.from_folder(tmp_path)
    for name, tensor in oracle.state_dict().items():
        torch.testing.assert_close(loaded.wav2vec.state_dict()[name], tensor)


def test_a_folder_without_a_checkpoint_is_named(tmp_path):
    with pytest.raises(ModelError, match=r"no wav2vec 2\.0 checkpoint"):
        Wav2VecFrames.from_folder(tmp_path)


def test_unknown_encoder_is_refused():
    with pytest.raises(ModelError, match="no audio encoder 'hubert'"):
        build_encoder(dataclasses.replace(CONFIG, encoder="hubert"))


def test_mel_frames_hear_their_own_40_ms_alone():
    audio = torch.from_numpy(babble(2.0))[None]
    made = MelFrames()(audio, 50)
    assert made.shape == (1, 50, 80)
    torch.testing.assert_close(made[0, 7], log_mel(audio)[0, :, 28:32].mean(dim=1))
    changed = audio.clone()
    changed[:, 30 * 640 :] = 0
    torch.testing.assert_close(MelFrames()(changed, 50)[:, :29], made[:, :29])


@pytest.fixture(scope="module")
def wav2vec_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wav2vec2-base")
    Wav2Vec2Model(Wav2Vec2Config(**SMALL_WAV2VEC)).save_pretrained(folder)
    return folder


def copied(folder, target, change=None, tables=None):
    """The folder with another config.json, and with other tables."""
    target.mkdir(exist_ok=True)
    config = json.loads((folder / "config.json").read_text())
    (target / "config.json").write_text(json.dumps(config | (change or {})))
    whole = load_file(folder / "model.safetensors") | (tables or {})
    kept = {name: table for name, table in whole.items() if table is not None}
    save_file(kept, target / "model.safetensors")
    return target


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"hidden_size": 10**9}, "'hidden_size'"),
        ({"hidden_size": "32"}, "'hidden_size'"),
        ({"num_hidden_layers": 10**9}, "'num_hidden_layers'"),
        ({"num_attention_heads": 0}, "'num_attention_heads'"),
        ({"num_attention_heads": 5}, "'num_attention_heads'"),
        ({"conv_dim": []}, "'conv_dim'"),
        ({"conv_dim": [8] * 6}, "'conv_dim'"),
        ({"conv_dim": 8}, "'conv_dim'"),
        ({"conv_stride": [1] * 7}, "'conv_stride'"),
        ({"conv_kernel": [10**9] * 7}, "'conv_kernel'"),
        ({"hidden_act": "__import__"}, "'hidden_act'"),
        ({"feat_extract_norm": None}, "'feat_extract_norm'"),
        ({"layer_norm_eps": 0}, "'layer_norm_eps'"),
    ],
)
def test_wav2vec_settings_are_held_against_limits(wav2vec_folder, change, word, tmp_path):
    folder = copied(wav2vec_folder, tmp_path / "other", change)
    refused(lambda: Wav2VecFrames.from_folder(folder), word)


def test_wav2vec_settings_that_name_code_are_not_followed(wav2vec_folder, tmp_path):
    change = {"_attn_implementation": "somebody/kernels", "auto_map": {"AutoModel": "x.Y"}}
    folder = copied(wav2vec_folder, tmp_path / "other", change)
    assert isinstance(Wav2VecFrames.from_folder(folder), nn.Module)


@pytest.mark.parametrize("value", [None, np.nan, 1e30])
def test_wav2vec_tables_are_all_there_and_numbers(wav2vec_folder, value, tmp_path):
    """A missing one was filled with random numbers without a word."""
    name = "feature_projection.projection.weight"
    shape = load_file(wav2vec_folder / "model.safetensors")[name].shape
    bad = None if value is None else np.full(shape, value, np.float32)
    folder = copied(wav2vec_folder, tmp_path / "other", tables={name: bad})
    refused(lambda: Wav2VecFrames.from_folder(folder), name)


def test_wav2vec_is_found_inside_a_network_with_a_head(wav2vec_folder, tmp_path):
    plain = Wav2VecFrames.from_folder(wav2vec_folder)
    state = {f"wav2vec2.{n}": t for n, t in plain.wav2vec.state_dict().items()}
    conv = "wav2vec2.encoder.pos_conv_embed.conv"
    for old, new in (("weight_g", "original0"), ("weight_v", "original1")):
        state[f"{conv}.{old}"] = state.pop(f"{conv}.parametrizations.weight.{new}")
    del state["wav2vec2.masked_spec_embed"]
    (tmp_path / "config.json").write_bytes((wav2vec_folder / "config.json").read_bytes())
    torch.save(state | {"lm_head.weight": torch.zeros(3)}, tmp_path / "pytorch_model.bin")
    found = Wav2VecFrames.from_folder(tmp_path).wav2vec.state_dict()
    for name, table in found.items():
        torch.testing.assert_close(table, plain.wav2vec.state_dict()[name])


@pytest.mark.parametrize("bad", ["config pipe", "weights pipe", "config text", "config deep",
                                 "config list", "weights text", "no weights"])  # fmt: skip
def test_a_wav2vec_folder_of_other_things_is_refused(wav2vec_folder, bad, tmp_path):
    folder = copied(wav2vec_folder, tmp_path / "other")
    which, how = bad.split()
    path = folder / ("config.json" if which == "config" else "model.safetensors")
    path.unlink() if which != "no" else (folder / "model.safetensors").unlink()
    if how == "pipe":
        os.mkfifo(path)
    elif which != "no":
        path.write_text({"text": "hello", "deep": "[" * 100_000, "list": "[1]"}[how])
    refused(lambda: Wav2VecFrames.from_folder(folder))


def test_an_a2ep_checkpoint_on_wav2vec_is_read_with_its_settings_alone(tmp_path):
    config = dataclasses.replace(CONFIG, encoder="wav2vec2", encoder_width=32)
    original = A2EP(config, COMPONENTS, ALL_NAMES, SMALL_WAV2VEC | {"_attn_implementation": "a/b"})
    path = tmp_path / "a2ep.safetensors"
    save_checkpoint(path, lively(original), {})
    assert load_checkpoint(path).config == config
    bad = json.dumps(SMALL_WAV2VEC | {"hidden_size": 10**9})
    refused(lambda: load_checkpoint(changed(path, header={"encoder_settings": bad})), "hidden_size")
