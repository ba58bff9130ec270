"""Adapters of others' own code do as the protocol asks, with a stand-in for the checkout."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from befit.core.errors import ConfigError
from befit.evaluate.methods import method_class
from befit.testing.rewards import population

PEERS = Path(__file__).parents[3] / "benchmarks" / "peers"
LORE = """
import torch
import torch.nn.functional as F

def solve_regularized(start, alpha, x, rank, num_iterations, learning_rate):
    basis = torch.stack([(-1) ** i * torch.cat(x)[i % 3] for i in range(rank)], 1)
    return torch.full((len(x), rank), 1.0 / rank, requires_grad=True), basis

def learn_multiple_few_shot(x, basis, num_iterations, learning_rate):
    return [F.softmax((own @ basis).mean(0)) for own in x]
"""
VPL = """
import torch, wandb
from torch import nn

class Annealer:
    def __init__(self, total_steps, shape, baseline, cyclical): self.steps = 0
    def __call__(self, kld): return kld
    def step(self): self.steps += 1

class VAETrainer:
    @classmethod
    def per_sample_loss(cls, one, other): return -nn.functional.logsigmoid(one - other)

class VAEModel(nn.Module):
    def __init__(self, encoder, decoder, hidden, latent, llm, contexts):
        super().__init__()
        self.pair, self.reward = nn.Linear(2 * encoder, latent), nn.Linear(decoder + latent, 1)
    def encode_pair(self, one, other): return self.pair(torch.cat([one, other], 1))
    def encode_sequence(self, coded, spans):
        mean = torch.stack([coded[a:b].mean(0) for a, b in spans])
        return mean, torch.zeros_like(mean)
    def decode(self, one, other, z):
        return tuple(self.reward(torch.cat([side, z], 1)).tanh() for side in (one, other))
    def forward(self, one, other, shown, shown_other, spans, kind):
        mean, log_var = self.encode_sequence(self.encode_pair(shown, shown_other), spans)
        return *self.decode(one, other, mean), mean, log_var, mean
"""
SMALL: dict[str, dict[str, Any]] = {
    "lore": {"ranks": (2,), "scales": (3.0,)},
    "vpl": {"width": 8, "looks": (5,)},
}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / "utils.py").write_text(LORE)
    (tmp_path / "hidden_context").mkdir()
    (tmp_path / "hidden_context" / "vae_utils.py").write_text(VPL)
    return tmp_path


@pytest.mark.parametrize(("file", "name"), [("lore", "LoRe"), ("vpl", "Vpl")])
def test_an_adapter_is_a_method(checkout: Path, file: str, name: str) -> None:
    made: Any = method_class(f"{PEERS / file}.py:{name}")
    method = made(checkout=str(checkout), **SMALL[file])
    everyone = population(people=10, pairs=8)
    users = sorted(everyone.people)
    fitted = method.fit(everyone.part(users[:6]), everyone.part(users[6:8]), seed=0)
    person = everyone.people[users[9]]
    none = replace(person, pairs=person.pairs.take(slice(0, 0)))
    shown = replace(person, pairs=person.pairs.take(slice(0, 4)))
    query = person.pairs.take(slice(4, 8))
    for state in fitted.adapt([none, shown]):
        logits = fitted.logits(state, query)
        assert logits.shape == (4,)
        assert logits == pytest.approx(-fitted.logits(state, query.swapped()), abs=1e-5)
        assert len(fitted.logits(state, query.take(slice(0, 0)))) == 0
    (alone,), (again, _) = fitted.adapt([shown]), fitted.adapt([shown, none])
    assert alone == pytest.approx(again)
    (stranger,) = fitted.adapt([none])
    assert fitted.logits(stranger, query) != pytest.approx(fitted.logits(alone, query))


@pytest.mark.parametrize(("file", "name"), [("lore", "LoRe"), ("vpl", "Vpl")])
def test_no_checkout_is_said(file: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(f"BEFIT_PEER_{file.upper()}", raising=False)
    everyone = population(people=4, pairs=4)
    method: Any = method_class(f"{PEERS / file}.py:{name}")()
    with pytest.raises(ConfigError) as caught:
        method.fit(everyone, everyone, seed=0)
    assert caught.value.field == "checkout"
