"""Masking: the shares of Devlin et al., whole words, and nothing that must not be touched."""

import pytest
import torch

from openteller.training.pretraining.masking import Corruption, corrupt

MASK, ORDINARY = 999, torch.arange(10, 900)
HOW = Corruption(MASK, ORDINARY)


def windows(n: int = 400, tokens: int = 128) -> tuple[torch.Tensor, torch.Tensor]:
    draw = torch.Generator().manual_seed(3)
    ids = torch.randint(10, 900, (n, tokens), generator=draw)
    words = torch.arange(tokens).expand(n, tokens).clone()
    words[:, 0] = words[:, -1] = -1  # what stands around every window
    ids[:, 0] = ids[:, -1] = 1
    return ids, words


def test_the_shares_are_those_of_the_paper() -> None:
    ids, words = windows()
    seen, chosen = corrupt(ids, words, HOW, torch.Generator().manual_seed(1))
    assert chosen.sum().item() / (words >= 0).sum().item() == pytest.approx(0.15, abs=0.006)
    hidden = (seen[chosen] == MASK).float().mean().item()
    stayed = (seen[chosen] == ids[chosen]).float().mean().item()
    assert hidden == pytest.approx(0.8, abs=0.015)
    assert stayed == pytest.approx(0.1, abs=0.012)
    others = seen[chosen][(seen[chosen] != MASK) & (seen[chosen] != ids[chosen])]
    assert len(others) / chosen.sum().item() == pytest.approx(0.1, abs=0.012)
    assert ((others >= 10) & (others < 900)).all()


def test_what_is_not_chosen_stays_and_special_tokens_are_never_chosen() -> None:
    ids, words = windows()
    seen, chosen = corrupt(ids, words, HOW)
    assert (seen[~chosen] == ids[~chosen]).all()
    assert not chosen[words < 0].any()


def test_a_whole_word_is_hidden_or_none_of_it() -> None:
    ids, _ = windows(50, 60)
    words = (torch.arange(60) // 3).expand(50, 60)
    _, chosen = corrupt(ids, words, HOW, torch.Generator().manual_seed(5))
    by_word = chosen.view(50, 20, 3).sum(-1)
    assert set(by_word.unique().tolist()) == {0, 3}
    assert chosen.float().mean().item() == pytest.approx(0.15, abs=0.04)


def test_something_is_always_guessed_and_the_same_seed_hides_the_same() -> None:
    ids, words = torch.tensor([[1, 20, 1]]), torch.tensor([[-1, 1, -1]])
    for seed in range(20):
        _, chosen = corrupt(ids, words, HOW, torch.Generator().manual_seed(seed))
        assert chosen.tolist() == [[False, True, False]]
    ids, words = windows(4)
    first, again = (corrupt(ids, words, HOW, torch.Generator().manual_seed(9))[0] for _ in range(2))
    assert (first == again).all()


def test_every_pass_hides_other_tokens() -> None:
    ids, words = windows(4)
    assert (corrupt(ids, words, HOW)[1] != corrupt(ids, words, HOW)[1]).any()
