import copy

import pytest
import torch
from lstm_training.model import ModelConfig, SentimentRNN
from torch import Tensor, nn

SIZES = (50, 1, 24, 64, 2)


class SeedRNN(nn.Module):
    """The class that the project starts from, as users have it in their notebooks."""

    def __init__(
        self,
        vocab_size: int,
        output_size: int,
        embedding_dim: int,
        hidden_dim: int,
        n_layers: int,
        drop_prob: float = 0.5,
    ) -> None:
        super().__init__()
        self.output_size = output_size
        self.n_layers = n_layers
        self.hidden_dim = hidden_dim
        self.embedding = nn.Embedding(vocab_size, embedding_dim)
        self.lstm = nn.LSTM(
            embedding_dim, hidden_dim, n_layers, dropout=drop_prob, batch_first=True
        )
        self.dropout = nn.Dropout(0.3)
        self.fc = nn.Linear(hidden_dim, output_size)
        self.sig = nn.Sigmoid()

    def forward(
        self, x: Tensor, hidden: tuple[Tensor, Tensor]
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        batch_size = x.size(0)
        embeds = self.embedding(x.long())
        lstm_out, hidden = self.lstm(embeds, hidden)
        lstm_out = lstm_out.contiguous().view(-1, self.hidden_dim)
        out = self.fc(self.dropout(lstm_out))
        sig_out = self.sig(out).view(batch_size, -1)
        return sig_out[:, -1], hidden

    def init_hidden(self, batch_size: int) -> tuple[Tensor, Tensor]:
        weight = next(self.parameters()).data
        shape = (self.n_layers, batch_size, self.hidden_dim)
        return weight.new(*shape).zero_(), weight.new(*shape).zero_()


@pytest.fixture
def seed_and_ours() -> tuple[SeedRNN, SentimentRNN]:
    torch.manual_seed(0)
    seed, ours = SeedRNN(*SIZES).eval(), SentimentRNN(*SIZES).eval()
    ours.load_state_dict(seed.state_dict())
    return seed, ours


def test_the_state_dict_has_the_seeds_names_and_shapes() -> None:
    def shapes(model: nn.Module) -> dict[str, torch.Size]:
        return {name: tensor.shape for name, tensor in model.state_dict().items()}

    assert shapes(SentimentRNN(*SIZES)) == shapes(SeedRNN(*SIZES))


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (5, 1), (5, 9)])
def test_outputs_and_states_are_the_seeds(
    seed_and_ours: tuple[SeedRNN, SentimentRNN], shape: tuple[int, int]
) -> None:
    seed, ours = seed_and_ours
    ids = torch.randint(50, shape)
    expected, states = seed(ids, seed.init_hidden(shape[0]))
    got, our_states = ours(ids, ours.init_hidden(shape[0]))
    assert torch.equal(got, expected)
    assert all(torch.equal(a, b) for a, b in zip(our_states, states, strict=True))


def test_states_continue_a_text(seed_and_ours: tuple[SeedRNN, SentimentRNN]) -> None:
    _, ours = seed_and_ours
    ids = torch.randint(50, (3, 10))
    whole, _ = ours(ids, ours.init_hidden(3))
    _, states = ours(ids[:, :6], ours.init_hidden(3))
    rest, _ = ours(ids[:, 6:], states)
    assert torch.allclose(rest, whole, atol=1e-6)


def test_a_padded_batch_gives_what_each_text_gives_alone(
    seed_and_ours: tuple[SeedRNN, SentimentRNN],
) -> None:
    # Matrix products round differently by batch size, hence 1e-6 and not exactly.
    _, ours = seed_and_ours
    lengths = torch.tensor([1, 7, 40, 3, 40, 12])
    ids = torch.randint(50, (6, 40))
    together = ours.logits(ids, lengths)
    for row, length in enumerate(lengths.tolist()):
        alone = ours.trajectory(ids[row : row + 1, :length])[0][:, -1]
        assert torch.allclose(together[row], alone[0], rtol=0, atol=1e-6)


def test_what_the_padding_holds_does_not_matter(
    seed_and_ours: tuple[SeedRNN, SentimentRNN],
) -> None:
    _, ours = seed_and_ours
    lengths = torch.tensor([2, 9, 5])
    ids = torch.randint(50, (3, 9))
    other = torch.where(torch.arange(9) < lengths[:, None], ids, 49 - ids)
    assert torch.equal(ours.logits(ids, lengths), ours.logits(other, lengths))


def test_embedding_dropout_changes_training_only() -> None:
    torch.manual_seed(0)
    plain = SentimentRNN(*SIZES, drop_prob=0.0).eval()
    dropping = SentimentRNN(*SIZES, drop_prob=0.0, embedding_dropout=0.5)
    dropping.load_state_dict(copy.deepcopy(plain.state_dict()))
    ids, lengths = torch.randint(50, (4, 6)), torch.full((4,), 6)
    assert not torch.equal(dropping.train().logits(ids, lengths), plain.logits(ids, lengths))
    assert torch.equal(dropping.eval().logits(ids, lengths), plain.logits(ids, lengths))


@pytest.mark.filterwarnings("error")
def test_a_single_layer_raises_no_warning_about_dropout() -> None:
    SentimentRNN.from_config(ModelConfig(vocab_size=10, n_layers=1))
