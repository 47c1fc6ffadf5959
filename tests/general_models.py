"""Networks outside of the family, as people publish them: small, with hidden sizes of 64."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

WORDS = 60
E, H = 16, 64


class BahdanauAttention(nn.Module):
    """Bidirectional LSTM, attention scored by a tanh layer and a learned vector."""

    def __init__(self, classes: int = 1) -> None:
        super().__init__()
        self.embedding = nn.Embedding(WORDS, E)
        self.lstm = nn.LSTM(E, H, bidirectional=True, batch_first=True)
        self.w = nn.Linear(2 * H, H)
        self.v = nn.Linear(H, 1, bias=False)
        self.fc = nn.Linear(2 * H, classes)

    def forward(self, x: Tensor) -> Tensor:
        steps, _ = self.lstm(self.embedding(x))
        weights = functional.softmax(self.v(torch.tanh(self.w(steps))), dim=1)
        return self.fc((weights * steps).sum(dim=1))


class DotAttention(nn.Module):
    """graykode's: the final hidden state asks the steps."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(WORDS, E)
        self.lstm = nn.LSTM(E, H, bidirectional=True)
        self.out = nn.Linear(2 * H, 2)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        h0 = torch.zeros(2, len(x), H)
        c0 = torch.zeros(2, len(x), H)
        output, (final, _) = self.lstm(self.embedding(x).permute(1, 0, 2), (h0, c0))
        output = output.permute(1, 0, 2)
        hidden = final.view(-1, H * 2, 1)
        weights = functional.softmax(torch.bmm(output, hidden).squeeze(2), 1)
        context = torch.bmm(output.transpose(1, 2), weights.unsqueeze(2)).squeeze(2)
        return self.out(context), weights


class VectorAttention(nn.Module):
    """Zhou 2016: one learned vector scores tanh of the steps; softmax at the end."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(WORDS, E)
        self.lstm = nn.LSTM(E, H, num_layers=2, bidirectional=True, batch_first=True, dropout=0.5)
        self.w = nn.Parameter(torch.zeros(2 * H).uniform_(-1, 1))
        self.fc1 = nn.Linear(2 * H, H)
        self.fc = nn.Linear(H, 3)

    def forward(self, x: Tensor) -> Tensor:
        steps, _ = self.lstm(self.embedding(x))
        alpha = functional.softmax(torch.matmul(torch.tanh(steps), self.w), dim=1).unsqueeze(-1)
        out = functional.relu(torch.sum(steps * alpha, 1))
        return torch.softmax(self.fc(self.fc1(out)), -1)


class SelfAttention(nn.Module):
    """nn.MultiheadAttention after the LSTM, mean over time, sigmoid."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(WORDS, E)
        self.lstm = nn.LSTM(E, H, batch_first=True)
        self.attention = nn.MultiheadAttention(H, 4, batch_first=True)
        self.fc = nn.Linear(H, 1)

    def forward(self, x: Tensor) -> Tensor:
        steps, _ = self.lstm(self.embedding(x))
        seen, _ = self.attention(steps, steps, steps)
        return torch.sigmoid(self.fc(seen.mean(1))).squeeze(-1)


class StructuredSelfAttention(nn.Module):
    """Lin 2017: several hops."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(WORDS, E)
        self.lstm = nn.LSTM(E, H, bidirectional=True, batch_first=True)
        self.w1 = nn.Linear(2 * H, 20, bias=False)
        self.w2 = nn.Linear(20, 4, bias=False)
        self.fc = nn.Linear(8 * H, 2)

    def forward(self, x: Tensor) -> Tensor:
        steps, _ = self.lstm(self.embedding(x))
        hops = functional.softmax(self.w2(torch.tanh(self.w1(steps))), dim=1).permute(0, 2, 1)
        sentence = torch.bmm(hops, steps)
        return self.fc(sentence.view(-1, sentence.size(1) * sentence.size(2)))


class TransformerThenLstm(nn.Module):
    """A transformer layer before the LSTM."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(WORDS, E)
        self.encoder = nn.TransformerEncoder(
            nn.TransformerEncoderLayer(E, 2, 32, batch_first=True), 1, enable_nested_tensor=False
        )
        self.lstm = nn.LSTM(E, H, batch_first=True)
        self.fc = nn.Linear(H, 2)

    def forward(self, x: Tensor) -> Tensor:
        _, (h, _) = self.lstm(self.encoder(self.embedding(x)))
        return self.fc(h[-1])


class ConvPoolLstm(nn.Module):
    """Keras' imdb_cnn_lstm: convolution, max pooling, LSTM."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(WORDS, E)
        self.conv = nn.Conv1d(E, 32, 5, padding="same")
        self.pool = nn.MaxPool1d(2, ceil_mode=True)
        self.lstm = nn.LSTM(32, H, batch_first=True)
        self.fc = nn.Linear(H, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.embedding(x).permute(0, 2, 1)
        x = self.pool(functional.relu(self.conv(x))).permute(0, 2, 1)
        steps, _ = self.lstm(x)
        return torch.sigmoid(self.fc(steps[:, -1, :]))


class NarrowConvLstm(nn.Module):
    """A convolution without padding and pooling of four: texts of less than eight words fail."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(WORDS, E, padding_idx=0)
        self.conv = nn.Conv1d(E, 32, 5)
        self.pool = nn.MaxPool1d(4)
        self.lstm = nn.LSTM(32, H, batch_first=True)
        self.fc = nn.Linear(H, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(functional.relu(self.conv(self.embedding(x).transpose(1, 2)))).transpose(1, 2)
        _, (h, _) = self.lstm(x)
        return torch.sigmoid(self.fc(h[-1]))


class LstmThreePools(nn.Module):
    """CNN and LSTM, read by last, mean and max together."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(WORDS, E)
        self.conv = nn.Conv1d(E, 32, 3, padding=1)
        self.lstm = nn.LSTM(32, H, batch_first=True)
        self.fc = nn.Linear(3 * H, 2)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.conv(self.embedding(x).transpose(1, 2))).transpose(1, 2)
        steps, (h, _) = self.lstm(x)
        pooled = [h[-1], steps.mean(dim=1), steps.max(dim=1)[0]]
        return functional.log_softmax(self.fc(torch.cat(pooled, 1)), 1)


class LstmTextCnn(nn.Module):
    """Kim's convolutions of three widths over the LSTM's steps."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(WORDS, E)
        self.lstm = nn.LSTM(E, H, bidirectional=True, batch_first=True)
        self.convs = nn.ModuleList(
            nn.Conv2d(1, 8, (k, 2 * H), padding=(k - 1, 0)) for k in (2, 3, 4)
        )
        self.fc = nn.Linear(24, 4)

    def forward(self, x: Tensor) -> Tensor:
        steps = self.lstm(self.embedding(x))[0].unsqueeze(1)
        maps = [functional.relu(conv(steps)).squeeze(3) for conv in self.convs]
        return self.fc(torch.cat([functional.max_pool1d(m, m.size(2)).squeeze(2) for m in maps], 1))


class RecurrentCnn(nn.Module):
    """Lai 2015 (RCNN): word and context, maximum over time."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(WORDS, E)
        self.lstm = nn.LSTM(E, H, bidirectional=True, batch_first=True, dropout=0)
        self.w = nn.Linear(2 * H + E, 40)
        self.fc = nn.Linear(40, 2)

    def forward(self, x: Tensor) -> Tensor:
        words = self.embedding(x)
        context, _ = self.lstm(words)
        y = torch.tanh(self.w(torch.cat([context, words], 2))).permute(0, 2, 1)
        return self.fc(functional.max_pool1d(y, y.size()[2]).squeeze(2))


class Gru(nn.Module):
    """Two layers both ways, no LSTM."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(WORDS, E)
        self.gru = nn.GRU(E, H, 2, bidirectional=True, batch_first=True)
        self.fc = nn.Linear(2 * H, 1)

    def forward(self, x: Tensor) -> Tensor:
        _, h = self.gru(self.embedding(x))
        return self.fc(torch.cat([h[-2], h[-1]], 1))


class LstmGru(nn.Module):
    """The Kaggle toxic-comment kernel: LSTM, GRU, mean and max; six labels of their own."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(WORDS, E)
        self.embedding_dropout = nn.Dropout2d(0.3)
        self.lstm = nn.LSTM(E, H, bidirectional=True, batch_first=True)
        self.gru = nn.GRU(2 * H, H, bidirectional=True, batch_first=True)
        self.linear = nn.Linear(4 * H, 16)
        self.out = nn.Linear(16, 6)

    def forward(self, x: Tensor) -> Tensor:
        h = self.embedding(x)
        h = torch.squeeze(self.embedding_dropout(torch.unsqueeze(h, 0)), 0)
        h, _ = self.gru(self.lstm(h)[0])
        pooled = torch.cat((torch.mean(h, 1), torch.max(h, 1).values), 1)
        return torch.sigmoid(self.out(functional.relu(self.linear(pooled))))


class StackedLstms(nn.Module):
    """Two LSTMs of their own with dropout and layer norm between."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(WORDS, E)
        self.lstm1 = nn.LSTM(E, H, batch_first=True)
        self.norm = nn.LayerNorm(H)
        self.drop = nn.Dropout(0.4)
        self.lstm2 = nn.LSTM(H, 32, batch_first=True)
        self.fc = nn.Linear(32, 1)

    def forward(self, x: Tensor) -> Tensor:
        x, _ = self.lstm1(self.embedding(x))
        x, _ = self.lstm2(self.drop(self.norm(x)))
        return torch.sigmoid(self.fc(x[:, -1])).squeeze()


class ResidualLstms(nn.Module):
    """Each layer is added to what it read, then normalised."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(WORDS, H)
        self.layers = nn.ModuleList(nn.LSTM(H, H, batch_first=True) for _ in range(2))
        self.norms = nn.ModuleList(nn.LayerNorm(H) for _ in range(2))
        self.fc = nn.Linear(H, 2)

    def forward(self, x: Tensor) -> Tensor:
        x = self.embedding(x)
        for lstm, norm in zip(self.layers, self.norms, strict=True):
            x = norm(x + lstm(x)[0])
        return self.fc(x[:, -1, :])


class MaskedMean(nn.Module):
    """Padding is masked by the ids themselves."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(WORDS, E, padding_idx=0)
        self.lstm = nn.LSTM(E, H, batch_first=True, bidirectional=True)
        self.score = nn.Linear(2 * H, 1)
        self.fc = nn.Linear(2 * H, 2)

    def forward(self, ids: Tensor) -> Tensor:
        mask = ids != 0
        steps, _ = self.lstm(self.embedding(ids))
        scores = self.score(steps).squeeze(-1).masked_fill(~mask, float("-inf"))
        weights = torch.softmax(scores, dim=1).unsqueeze(1)
        return self.fc(torch.bmm(weights, steps).squeeze(1))


class MaskGiven(nn.Module):
    """Takes an attention mask."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(WORDS, E, padding_idx=0)
        self.lstm = nn.LSTM(E, H, batch_first=True)
        self.fc = nn.Linear(H, 3)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> dict[str, Tensor]:
        steps, _ = self.lstm(self.embedding(input_ids))
        mask = attention_mask.unsqueeze(-1).float()
        pooled = (steps * mask).sum(1) / mask.sum(1)
        return {"logits": self.fc(pooled), "features": pooled}


class PackedAttention(nn.Module):
    """pack_padded_sequence with lengths, unpacked, then attention; sorted lengths enforced."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(WORDS, E)
        self.lstm = nn.LSTM(E, H, bidirectional=True, batch_first=True)
        self.score = nn.Linear(2 * H, 1)
        self.fc = nn.Linear(2 * H, 1)

    def forward(self, text: Tensor, text_lengths: Tensor) -> Tensor:
        packed = nn.utils.rnn.pack_padded_sequence(
            self.embedding(text), text_lengths.cpu(), batch_first=True
        )
        steps, _ = nn.utils.rnn.pad_packed_sequence(self.lstm(packed)[0], batch_first=True)
        weights = torch.softmax(self.score(steps), 1)
        return self.fc((steps * weights).sum(1))


class PackedByMask(nn.Module):
    """Counts its own lengths, packs, reads hidden of a two-layer LSTM through batch norm."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(WORDS, E, padding_idx=0)
        self.lstm = nn.LSTM(E, H, 2, batch_first=True)
        self.conv = nn.Conv1d(H, 16, 1)
        self.fc = nn.Linear(16, 2)

    def forward(self, x: Tensor) -> Tensor:
        lengths = (x != 0).sum(dim=1)
        packed = nn.utils.rnn.pack_padded_sequence(
            self.embedding(x), lengths.to("cpu"), batch_first=True, enforce_sorted=False
        )
        steps, _ = self.lstm(packed)
        steps, _ = nn.utils.rnn.pad_packed_sequence(steps, batch_first=True)
        return self.fc(self.conv(steps.transpose(1, 2)).amax(2))


@dataclass
class Output:
    """What a forward returns."""

    logits: Tensor
    hidden: Tensor


class DataclassOutput(nn.Module):
    """Positions are embedded too: 512 words at most."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(WORDS, E)
        self.position = nn.Embedding(512, E)
        self.lstm = nn.LSTM(E, H, batch_first=True)
        self.fc = nn.Linear(H, 5)

    def forward(self, ids: Tensor) -> Output:
        places = torch.arange(ids.shape[1], device=ids.device)
        _, (h, _) = self.lstm(self.embedding(ids) + self.position(places))
        return Output(self.fc(h[-1]), h)


class MultiLabel(nn.Module):
    """Steps behind a gate are summed; a sigmoid for each of four labels."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(WORDS, E)
        self.lstm = nn.LSTM(E, H, batch_first=True)
        self.gate = nn.Linear(H, H)
        self.fc = nn.Linear(H, 4)

    def forward(self, ids: Tensor) -> Tensor:
        steps, _ = self.lstm(self.embedding(ids))
        return torch.sigmoid(self.fc((steps * torch.sigmoid(self.gate(steps))).sum(1)))


class DropoutLeftOn(nn.Module):
    """A dropout that evaluation mode does not switch off."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(WORDS, E)
        self.lstm = nn.LSTM(E, H, batch_first=True)
        self.fc = nn.Linear(H, 1)

    def forward(self, ids: Tensor) -> Tensor:
        return torch.sigmoid(
            self.fc(functional.dropout(self.lstm(self.embedding(ids))[0][:, -1], 0.5))
        )


class BagAndLstm(nn.Module):
    """An embedding bag beside the LSTM."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(WORDS, E)
        self.bag = nn.EmbeddingBag(WORDS, E, mode="mean")
        self.lstm = nn.LSTM(E, H, batch_first=True)
        self.fc = nn.Linear(H + E, 2)

    def forward(self, ids: Tensor) -> Tensor:
        _, (h, _) = self.lstm(self.embedding(ids))
        return self.fc(torch.cat([h[-1], self.bag(ids)], 1))


class HierarchicalPooling(nn.Module):
    """SWEM-hier: windows are averaged, then their maximum; beside an LSTM."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(WORDS, E)
        self.lstm = nn.LSTM(E, H, batch_first=True)
        self.pool = nn.AvgPool1d(3, stride=1, padding=1)
        self.fc = nn.Linear(H, 2)

    def forward(self, ids: Tensor) -> Tensor:
        steps, _ = self.lstm(self.embedding(ids))
        return self.fc(self.pool(steps.transpose(1, 2)).max(2).values)


class CharCnnLstm(nn.Module):
    """Characters, two convolutions with pooling, LSTM."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(WORDS, E)
        self.conv1 = nn.Conv1d(E, 32, 3, padding=1)
        self.conv2 = nn.Conv1d(32, 32, 3, padding=1)
        self.norm = nn.BatchNorm1d(32)
        self.lstm = nn.LSTM(32, H, bidirectional=True, batch_first=True)
        self.fc = nn.Sequential(nn.Dropout(0.2), nn.Linear(2 * H, 20), nn.GELU(), nn.Linear(20, 2))

    def forward(self, ids: Tensor) -> Tensor:
        x = self.embedding(ids).transpose(1, 2)
        x = functional.relu(self.conv1(x))
        x = functional.relu(self.norm(self.conv2(x)))
        _, (h, _) = self.lstm(x.transpose(1, 2))
        return self.fc(torch.cat((h[0], h[1]), dim=-1))


class Highway(nn.Module):
    """Weights shared by two embeddings and a gate before the LSTM; the cell state read out."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(WORDS, E)
        self.fixed = nn.Embedding.from_pretrained(torch.randn(WORDS, E))
        self.gate = nn.Linear(2 * E, 2 * E)
        self.lstm = nn.LSTM(2 * E, H, batch_first=True)
        self.fc = nn.Linear(2 * H, 1)

    def forward(self, ids: Tensor) -> Tensor:
        x = torch.cat([self.embedding(ids), self.fixed(ids)], -1)
        x = x * torch.sigmoid(self.gate(x))
        _, (h, c) = self.lstm(x)
        return self.fc(torch.cat([h[0], c[0]], -1)).view(-1)


class CellLoop(nn.Module):
    """An LSTMCell in a loop over time."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(WORDS, E)
        self.cell = nn.LSTMCell(E, H)
        self.fc = nn.Linear(H, 1)

    def forward(self, ids: Tensor) -> Tensor:
        x = self.embedding(ids)
        h = torch.zeros(len(ids), self.cell.hidden_size)
        c = torch.zeros(len(ids), self.cell.hidden_size)
        for t in range(x.shape[1]):
            h, c = self.cell(x[:, t], (h, c))
        return torch.sigmoid(self.fc(h))


class ProjectedLstm(nn.Module):
    """proj_size, which ONNX's LSTM lacks."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(WORDS, E)
        self.lstm = nn.LSTM(E, H, proj_size=24, batch_first=True)
        self.fc = nn.Linear(24, 1)

    def forward(self, ids: Tensor) -> Tensor:
        return self.fc(self.lstm(self.embedding(ids))[0][:, -1])


class HierarchicalAttention(nn.Module):
    """Bidirectional GRU with attention, then LSTM over its steps (one sentence documents)."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(WORDS, E)
        self.gru = nn.GRU(E, 32, bidirectional=True, batch_first=True)
        self.lstm = nn.LSTM(64, H, batch_first=True)
        self.context = nn.Parameter(torch.randn(H))
        self.proj = nn.Linear(H, H)
        self.fc = nn.Linear(H, 2)

    def forward(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        h, _ = self.lstm(self.gru(self.embedding(ids))[0])
        a = torch.einsum("bth,h->bt", torch.tanh(self.proj(h)), self.context).softmax(-1)
        return torch.einsum("bt,bth->bh", a, h) @ self.fc.weight.T + self.fc.bias, a


class PlainRnnLstm(nn.Module):
    """A plain recurrent layer before the LSTM."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(WORDS, E)
        self.rnn = nn.RNN(E, 32, batch_first=True)
        self.lstm = nn.LSTM(32, H, batch_first=True)
        self.fc = nn.Linear(H, 2)

    def forward(self, ids: Tensor) -> Tensor:
        return self.fc(self.lstm(self.rnn(self.embedding(ids))[0])[1][0].squeeze(0))


class AdditiveStates(nn.Module):
    """Takes and returns states; attention over steps with the state repeated for each."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(WORDS, E)
        self.lstm = nn.LSTM(E, H, 2, batch_first=True)
        self.attn = nn.Linear(2 * H, 1)
        self.fc = nn.Linear(H, 1)

    def forward(
        self, x: Tensor, hidden: tuple[Tensor, Tensor]
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        steps, hidden = self.lstm(self.embedding(x), hidden)
        last = hidden[0][-1].unsqueeze(1).repeat(1, steps.size(1), 1)
        weights = functional.softmax(self.attn(torch.cat([steps, last], 2)), 1)
        return torch.sigmoid(self.fc((weights * steps).sum(1))), hidden


class TimeMajor(nn.Module):
    """[sequence, batch] in; attention."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(WORDS, E)
        self.rnn = nn.LSTM(E, H, bidirectional=True)
        self.score = nn.Linear(2 * H, 1)
        self.fc = nn.Linear(2 * H, 1)

    def forward(self, text: Tensor) -> Tensor:
        steps, _ = self.rnn(self.embedding(text))
        return self.fc((steps * functional.softmax(self.score(steps), 0)).sum(0)).squeeze(1)


class LastByLength(nn.Module):
    """Gathers the last valid step by lengths, max pool of the rest."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(WORDS, E)
        self.lstm = nn.LSTM(E, H, batch_first=True)
        self.fc = nn.Linear(2 * H, 2)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        steps, _ = self.lstm(self.embedding(x))
        last = steps[torch.arange(x.size(0)), lengths - 1]
        mask = torch.arange(x.size(1))[None, :] < lengths[:, None]
        best = steps.masked_fill(~mask.unsqueeze(-1), -1e9).max(1)[0]
        return self.fc(torch.cat([last, best], 1))


class KMax(nn.Module):
    """The three greatest values of each unit: texts of fewer words fail."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(WORDS, E)
        self.lstm = nn.LSTM(E, H, batch_first=True)
        self.fc = nn.Linear(3 * H, 2)

    def forward(self, x: Tensor) -> Tensor:
        steps, _ = self.lstm(self.embedding(x))
        return self.fc(steps.transpose(1, 2).topk(3, 2)[0].flatten(1))


class AdaptivePool(nn.Module):
    """Adaptive pooling to one step, maximum and mean."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(WORDS, E)
        self.lstm = nn.LSTM(E, H, batch_first=True)
        self.a = nn.AdaptiveMaxPool1d(1)
        self.b = nn.AdaptiveAvgPool1d(1)
        self.fc = nn.Linear(2 * H, 1)

    def forward(self, x: Tensor) -> Tensor:
        steps = self.lstm(self.embedding(x))[0].transpose(1, 2)
        return self.fc(torch.cat([self.a(steps), self.b(steps)], 1).squeeze(-1))


class TwoWays(nn.Module):
    """Branches in Python on the length."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(WORDS, E)
        self.lstm = nn.LSTM(E, H, batch_first=True)
        self.fc = nn.Linear(H, 1)

    def forward(self, x: Tensor) -> Tensor:
        steps, _ = self.lstm(self.embedding(x))
        if x.shape[1] > 10:
            return self.fc(steps.mean(1))
        return self.fc(steps[:, -1])


class FixedLength(nn.Module):
    """Linear over the flattened steps: one length only."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(WORDS, E)
        self.lstm = nn.LSTM(E, H, batch_first=True)
        self.fc = nn.Linear(H * 20, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.lstm(self.embedding(x))[0].flatten(1))
