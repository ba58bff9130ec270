import math
import pickle
import sqlite3
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from befit.core.errors import BefitError, ModelFileError
from befit.core.protocols import Encoder
from befit.features.cached_encoder import CachedEncoder
from befit.features.encoder import MiniLM, erf, gelu
from befit.models.catalogue import checked, spec


@dataclass(frozen=True)
class Letters:
    """Counts of letters, and of how many texts were ever asked for."""

    asked: list[str] = field(default_factory=list)
    name: str = "letters"
    width: int = 26

    def encode(self, texts: Sequence[str]) -> list[list[float]]:
        self.asked.extend(texts)
        counts = [[1.0 + text.count(chr(97 + i)) for i in range(26)] for text in texts]
        vectors = np.array(counts, dtype=np.float32).reshape(-1, 26)
        return [[*row] for row in vectors / np.linalg.norm(vectors, axis=1, keepdims=True)]


def expected(texts: Sequence[str]) -> NDArray[np.float32]:
    return np.array(Letters().encode(texts), dtype=np.float32).reshape(-1, 26)


def test_erf_and_gelu_are_exact_in_single_precision() -> None:
    x = np.linspace(-8, 8, 40_001, dtype=np.float32)
    exact = np.array([math.erf(float(value)) for value in x])
    assert np.abs(erf(x) - exact).max() < 5e-7
    exact = np.array([value * 0.5 * (1 + math.erf(value / math.sqrt(2))) for value in x.tolist()])
    assert np.abs(gelu(x.reshape(-1, 1)).ravel() - exact).max() < 2e-6


def test_a_text_is_computed_once(tmp_path: Path) -> None:
    inner = Letters()
    cached = CachedEncoder(inner, str(tmp_path / "vectors.db"))
    first = cached.encode(["abc", "abd", "abc"])
    assert inner.asked == ["abc", "abd"]
    np.testing.assert_array_equal(cached.encode(["abd", "abc"]), first[[1, 0]])
    other = Letters()
    np.testing.assert_array_equal(
        CachedEncoder(other, str(tmp_path / "vectors.db")).encode(["abc", "abd", "abc"]), first
    )
    assert other.asked == []


def test_another_encoder_never_gets_these_vectors(tmp_path: Path) -> None:
    CachedEncoder(Letters(), str(tmp_path / "vectors.db")).encode(["abc"])
    other = Letters(name="other letters")
    CachedEncoder(other, str(tmp_path / "vectors.db")).encode(["abc"])
    assert other.asked == ["abc"]


def test_memory_is_bounded_and_drops_what_was_used_longest_ago() -> None:
    inner = Letters()
    cached = CachedEncoder(inner, megabytes=2 * (26 * 4 + 200) / 1e6)  # room for two
    cached.encode(["a", "b"])
    cached.encode(["a"])
    cached.encode(["c"])
    inner.asked.clear()
    cached.encode(["a", "c"])
    assert inner.asked == []
    cached.encode(["b"])
    assert inner.asked == ["b"]


@given(st.lists(st.text(alphabet="abcé🙂", max_size=4), max_size=30))
def test_the_cache_answers_as_the_encoder(texts: list[str]) -> None:
    np.testing.assert_array_equal(CachedEncoder(Letters()).encode(texts), expected(texts))


def test_a_damaged_cache_file_costs_time_and_no_answer(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "vectors.db"
    path.write_bytes(b"this is not a database, and long enough to be looked at" * 100)
    vectors = CachedEncoder(Letters(), str(path)).encode(["abc"])
    np.testing.assert_array_equal(vectors, expected(["abc"]))
    assert "cannot be read" in caplog.text


def test_no_text_is_on_disk(tmp_path: Path) -> None:
    path = tmp_path / "vectors.db"
    CachedEncoder(Letters(), str(path)).encode(["a very private sentence"])
    written = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert written
    assert b"private" not in written


def test_many_threads_share_one_file(tmp_path: Path) -> None:
    path = str(tmp_path / "vectors.db")
    texts = [f"text {index % 40}" for index in range(200)]
    start = threading.Barrier(4)

    def work(_: int) -> NDArray[np.float32]:
        start.wait()
        return CachedEncoder(Letters(), path).encode(texts)

    with ThreadPoolExecutor(4) as pool:
        for vectors in pool.map(work, range(4)):
            np.testing.assert_array_equal(vectors, expected(texts))
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT count(*) FROM vectors").fetchone() == (40,)
    connection.close()


def test_it_travels_to_another_process_without_its_memory() -> None:
    cached = CachedEncoder(Letters())
    cached.encode(["abc"])
    copy = pickle.loads(pickle.dumps(cached))
    assert copy.path == cached.path
    np.testing.assert_array_equal(copy.encode(["abc"]), cached.encode(["abc"]))


def test_a_folder_that_is_no_model_is_a_typed_error(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError) as caught:
        MiniLM(path=str(tmp_path)).encode(["hello"])
    assert caught.value.field == "encoder.path"
    (tmp_path / "model.safetensors").write_bytes(b"\0" * 64)
    with pytest.raises(ModelFileError):
        MiniLM(path=str(tmp_path)).encode(["hello"])


def minilm() -> MiniLM:
    try:
        checked(spec("minilm-l6"))
    except BefitError as error:
        pytest.skip(f"the embedded encoder is absent: {error}")
    return MiniLM()


TEXTS = (
    "I love hiking",
    "I enjoy trekking in the hills",
    "The stock market fell",
    "",
    "é 漢字 🙂 naïve ﬁ",
    "word " * 400,
    "a",
    "Hello, World! 3.14 " * 20,
)


@pytest.mark.local
def test_minilm_agrees_with_transformers() -> None:
    encoder = minilm()
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    folder = checked(spec("minilm-l6")).parent
    model = transformers.AutoModel.from_pretrained(folder)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    batch = tokenizer(
        list(TEXTS), padding=True, truncation=True, max_length=256, return_tensors="pt"
    )
    with torch.inference_mode():
        hidden = model(**batch).last_hidden_state
    mask = batch["attention_mask"][..., None].float()
    expected = torch.nn.functional.normalize((hidden * mask).sum(1)).numpy()
    assert np.abs(encoder.encode(TEXTS) - expected).max() < 1e-5


@pytest.mark.local
def test_minilm_gives_unit_vectors_that_know_meaning_and_not_their_neighbours() -> None:
    encoder = minilm()
    assert isinstance(encoder, Encoder)
    together = encoder.encode(TEXTS)
    assert together.shape == (len(TEXTS), encoder.width)
    assert together.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-6)
    alone = np.concatenate([encoder.encode([text]) for text in TEXTS])
    np.testing.assert_allclose(together, alone, atol=1e-6)
    hiking, trekking, stocks = together[:3]
    assert hiking @ trekking > 0.5
    assert hiking @ stocks < 0.2
    assert encoder.encode([]).shape == (0, encoder.width)


@pytest.mark.local
def test_minilm_serves_threads_from_one_load() -> None:
    encoder = minilm()
    expected = encoder.encode(TEXTS)
    with ThreadPoolExecutor(4) as pool:
        for vectors in pool.map(lambda _: MiniLM().encode(TEXTS), range(4)):
            np.testing.assert_allclose(vectors, expected, atol=1e-6)
