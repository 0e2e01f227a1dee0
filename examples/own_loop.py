"""The planner's tables in a plain torch loop of one's own: count, plan, train, pack, and read without torch.

    python examples/own_loop.py FOLDER

FOLDER holds MovieTweetings (ratings.dat, movies.dat). Will a user rate a movie 8 or more? The first 80 % of the ratings
in time are trained on, the rest are predicted. Prints the relative cross entropy (RCE, per cent) of the model with its
trained rows and with the packed table, seed by seed. ``--record FILE`` keeps these figures as JSON.
"""

import argparse
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor, nn

import hybridhash as hh

FEATURES = ("user", "movie", "year")  # and the genres, a list
RATES, EPOCHS, BATCH = (0.02, 0.05, 0.1), 4, 1024


class Data(NamedTuple):
    """Ratings in the order of time.

    Attributes:
        table: Columns user, movie, year and genres.
        labels: float32[N], 1 for a rating of 8 or more.
    """

    table: pa.Table
    labels: Tensor


class Ranker(nn.Module):
    """Logit = MLP of the vectors of all features, over one bag."""

    def __init__(self, plan: hh.Plan, seed: int, rate: float) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.bag = hh.EmbeddingBag(plan, mode="mean", optimizer=hh.optim.Adagrad(lr=rate))
        self.dense = nn.Sequential(
            nn.Linear(4 * 16, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 1)
        )

    def forward(self, batch: tuple[Tensor, Tensor]) -> Tensor:
        return self.score(self.bag(*batch))

    def score(self, vectors: Tensor) -> Tensor:
        """Return the logits float[B] of vectors float[4 * B, 16], example after example."""
        logits: Tensor = self.dense(vectors.view(-1, 4 * 16)).squeeze(1)
        return logits


def read(folder: Path) -> Data:
    """Read the ratings and what is known of the movies."""
    movies = {}
    for line in (folder / "movies.dat").read_text(encoding="utf-8").splitlines():
        movie, title, genres = line.split("::")
        year = re.search(r"\((\d{4})\)$", title)
        movies[movie] = (int(year[1]) if year else None, genres.split("|") if genres else [])
    lines = (folder / "ratings.dat").read_text(encoding="utf-8").splitlines()
    ratings = sorted((line.split("::") for line in lines), key=lambda rating: int(rating[3]))
    years, genres = zip(*(movies.get(movie, (None, [])) for _, movie, _, _ in ratings), strict=True)
    columns = {
        "user": [int(user) for user, *_ in ratings],
        "movie": [movie for _, movie, *_ in ratings],
        "year": pa.array(years, pa.int64()),
        "genres": pa.array(genres, pa.list_(pa.string())),
    }
    return Data(pa.table(columns), torch.tensor([int(rating) >= 8 for *_, rating, _ in ratings]).float())


class Keys(NamedTuple):
    """The keys of some examples: one of each feature, then those of the list.

    Attributes:
        single: int64[N, 3].
        listed: int64[number of genres].
        bounds: int64[N + 1], the genres of example i are ``listed[bounds[i]:bounds[i + 1]]``.
    """

    single: Tensor
    listed: Tensor
    bounds: Tensor

    def batch(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Return keys and offsets of four bags an example: user, movie, year, genres."""
        counts = (self.bounds[rows + 1] - self.bounds[rows])[:, None]
        lengths = torch.cat([torch.ones(len(rows), 3, dtype=torch.int64), counts], dim=1).flatten()
        offsets = torch.cat([torch.zeros(1, dtype=torch.int64), lengths.cumsum(0)])
        keys = torch.empty(int(offsets[-1]), dtype=torch.int64)
        first = offsets[:-1].view(-1, 4)
        keys[first[:, :3]] = self.single[rows]
        within = torch.arange(int(counts.sum())) - (
            counts.flatten().cumsum(0) - counts.flatten()
        ).repeat_interleave(counts.flatten())
        keys[first[:, 3].repeat_interleave(counts.flatten()) + within] = self.listed[
            self.bounds[rows].repeat_interleave(counts.flatten()) + within
        ]
        return keys, offsets[:-1]


def keys_of(table: pa.Table) -> Keys:
    """Hash the values of a table once: a key is 64 bits of a feature and its value."""
    single = np.stack([hh.hash_keys(table[name], feature=name) for name in FEATURES], axis=1)
    genres = table["genres"].combine_chunks()
    listed = hh.hash_keys(genres.flatten(), feature="genres")
    lengths = np.array([len(each) for each in genres.to_pylist()])
    return Keys(
        torch.from_numpy(single), torch.from_numpy(listed), torch.from_numpy(np.append(0, np.cumsum(lengths)))
    )


def batches(rows: Tensor, seed: int | None = None) -> Iterator[Tensor]:
    """Yield batches of row numbers, shuffled if a seed is given."""
    if seed is not None:
        rows = rows[torch.randperm(len(rows), generator=torch.Generator().manual_seed(seed))]
    yield from rows.split(BATCH)


def train(model: Ranker, keys: Keys, labels: Tensor, rows: Tensor, rate: float, seed: int) -> Iterator[None]:
    """Train, and yield after each pass. The bag moves its own rows in the backward pass."""
    optimizer = torch.optim.Adagrad(model.dense.parameters(), lr=rate)
    for epoch in range(EPOCHS):
        for chosen in batches(rows, seed=1000 * seed + epoch):
            optimizer.zero_grad()
            loss = nn.functional.binary_cross_entropy_with_logits(model(keys.batch(chosen)), labels[chosen])
            loss.backward()
            optimizer.step()
        yield


def rce(logits: list[Tensor], labels: Tensor) -> float:
    """Return the relative cross entropy in per cent."""
    return float(hh.metrics.relative_cross_entropy(torch.sigmoid(torch.cat(logits)).numpy(), labels.numpy()))


@torch.inference_mode()
def judge(model: Ranker, keys: Keys, labels: Tensor, rows: Tensor) -> float:
    """Return the RCE of a model on some rows."""
    return rce([model(keys.batch(chosen)) for chosen in batches(rows)], labels[rows])


class Result(NamedTuple):
    """What a model came to.

    Attributes:
        trained: RCE with the trained rows, in per cent.
        packed: RCE with the packed table, in per cent.
        num_bytes: Bytes of the file of the packed table.
    """

    trained: float
    packed: float
    num_bytes: int


def main(folder: Path, budget: str, seeds: int, out: Path) -> list[Result]:
    """Count, plan, tune; then train, pack and judge a model for each seed."""
    data = read(folder)
    num_train = int(0.8 * len(data.labels))
    training, test = torch.arange(num_train), torch.arange(num_train, len(data.labels))
    keys = keys_of(data.table)

    counts = hh.count(data.table.slice(0, num_train), features=list(FEATURES), lists=["genres"])
    plan = hh.plan(counts, budget=budget, dim=16)
    print(plan)

    slice_start = int(0.9 * num_train)  # the end of the training span tunes rate and passes
    found = {}
    for rate in RATES:
        model = Ranker(plan, seed=0, rate=rate)
        passes = train(model, keys, data.labels, training[:slice_start], rate, seed=0)
        for epoch, _ in enumerate(passes, start=1):
            found[rate, epoch] = judge(model, keys, data.labels, training[slice_start:])
    rate, epochs = max(found, key=lambda each: found[each])
    print(f"rate {rate}, {epochs} passes: RCE {found[rate, epochs]:.2f} on the validation slice")

    results = []
    for seed in range(seeds):
        model = Ranker(plan, seed, rate)
        for _, _ in zip(range(epochs), train(model, keys, data.labels, training, rate, seed), strict=False):
            pass
        trained = judge(model, keys, data.labels, test)

        sample = training[torch.randperm(num_train, generator=torch.Generator().manual_seed(0))[: 1 << 14]]
        sensitivity = hh.measure_sensitivity(model.bag, model, map(keys.batch, batches(sample)))
        hh.pack(model.bag, sensitivity).save(out)

        table = hh.load(out)  # no torch is needed to read it
        packed = []
        for chosen in batches(test):
            ids, offsets = (part.numpy() for part in keys.batch(chosen))
            vectors = table.pool(ids, np.append(offsets, len(ids)), mode="mean")
            packed.append(model.score(torch.from_numpy(vectors)).detach())
        result = Result(trained, rce(packed, data.labels[test]), out.stat().st_size)
        print(
            f"seed {seed}: RCE {trained:.2f} as trained, {result.packed:.2f} packed in {result.num_bytes:,} bytes"
        )
        results.append(result)
    print(f"as trained {mean_and_spread([result.trained for result in results])}")
    print(f"packed     {mean_and_spread([result.packed for result in results])}")
    return results


def mean_and_spread(values: list[float]) -> str:
    """Return the mean and the standard deviation over seeds as text."""
    return f"{np.mean(values):.2f} ± {np.std(values, ddof=1) if len(values) > 1 else 0:.2f}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="the folder of MovieTweetings")
    parser.add_argument("--budget", default="10%", help="bytes of the table, as a share of the baseline's")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("ids.hh"), help="where the packed table is written")
    parser.add_argument("--record", type=Path, help="a JSON file that keeps the figures")
    given = parser.parse_args()
    figures = main(given.folder, given.budget, given.seeds, given.out)
    if given.record is not None:
        body = {"budget": given.budget, "seeds": [result._asdict() for result in figures]}
        given.record.write_text(json.dumps(body, indent=1) + "\n", encoding="utf-8")
