import dataclasses

import numpy as np
import pytest
import torch
from transformers import Wav2Vec2Config, Wav2Vec2Model, WhisperConfig
from transformers.models.whisper.modeling_whisper import WhisperEncoder as Oracle

from gsmooth_core.a2ep.encoders import (
    MelFrames,
    Wav2VecFrames,
    WhisperFrames,
    build_encoder,
    standardise,
)
from gsmooth_core.a2ep.features import interpolate
from gsmooth_core.a2ep.mel import log_mel
from gsmooth_core.a2ep.whisper import WhisperDims, WhisperEncoder, sinusoids
from gsmooth_core.errors import ModelError
from tests.a2ep.small import CONFIG, babble, lively

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
