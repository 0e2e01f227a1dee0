import numpy as np
import pytest
from scipy import stats

from hybridhash.data.synthetic.random import LATENT_DIM, latents, normals, stream_salt, uniforms, words

ROWS = np.arange(200_000)


def test_words_are_the_published_outputs_of_splitmix64() -> None:
    # Seed 1234567, from the Rosetta Code task "Pseudo-random numbers/Splitmix64".
    expected = [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]
    assert words(np.arange(1, 6), 1234567).tolist() == expected


def test_words_leave_the_counters_alone() -> None:
    counters = np.arange(4, dtype=np.uint64)
    words(counters, 1)
    assert counters.tolist() == [0, 1, 2, 3]


def test_salts_differ_by_seed_purpose_and_name() -> None:
    salts = {stream_salt(*args) for args in [(0, "a", "b"), (1, "a", "b"), (0, "b", "a"), (0, "a", "c")]}
    assert len(salts) == 4


def test_uniforms_are_uniform_and_never_0_or_1() -> None:
    u = uniforms(ROWS, 1)
    assert stats.kstest(u, "uniform").pvalue > 1e-3
    assert u.min() > 0
    assert u.max() < 1


@pytest.mark.parametrize("salts", [(1, 2), (stream_salt(0, "rank", "a"), stream_salt(0, "rank", "b"))])
def test_streams_are_uncorrelated(salts: tuple[int, int]) -> None:
    first, second = (uniforms(ROWS, salt) for salt in salts)
    assert abs(np.corrcoef(first, second)[0, 1]) < 4 / np.sqrt(ROWS.size)


def test_normals_are_standard_normal() -> None:
    assert stats.kstest(normals(ROWS, 3), "norm").pvalue > 1e-3


def test_a_normal_is_the_box_muller_transform_of_its_word() -> None:
    word = int(words(np.array([7]), 3)[0])
    radius = np.sqrt(-2 * np.log(((word >> 32) + 0.5) / 2**32))
    expected = radius * np.cos(2 * np.pi * (word & 0xFFFFFFFF) / 2**32)
    np.testing.assert_allclose(normals(np.array([7]), 3), [expected], rtol=1e-12)


def test_latents_are_independent_with_mean_0_and_variance_1() -> None:
    vectors = latents(ROWS, 5).astype(np.float64)
    assert vectors.shape == (ROWS.size, LATENT_DIM)
    assert np.abs(vectors).max() <= np.sqrt(3)
    np.testing.assert_allclose(vectors.mean(axis=0), 0, atol=0.01)
    np.testing.assert_allclose(np.cov(vectors.T), np.eye(LATENT_DIM), atol=0.01)
