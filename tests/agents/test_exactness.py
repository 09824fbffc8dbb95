"""The arithmetic of lanes begins and ends with its block."""

from collections.abc import Iterator

import pytest
import torch

from agents.exactness import exact_arithmetic

DENORMAL = 1e-40


@pytest.fixture(autouse=True)
def _callers_settings() -> Iterator[None]:
    threads, precision = torch.get_num_threads(), torch.get_float32_matmul_precision()
    yield
    torch.set_num_threads(threads)
    torch.set_float32_matmul_precision(precision)
    torch.set_flush_denormal(False)


def flushes_denormals() -> bool:
    return bool(torch.tensor([DENORMAL]) * torch.tensor([0.5]) == 0.0)


def test_inside_there_is_one_thread_full_precision_and_no_denormal() -> None:
    torch.set_num_threads(2)
    torch.set_float32_matmul_precision("medium")

    with exact_arithmetic():
        assert torch.get_num_threads() == 1
        assert torch.get_float32_matmul_precision() == "highest"
        assert flushes_denormals()
        assert torch.is_inference_mode_enabled()


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("precision", ["highest", "high"])
def test_the_callers_settings_come_back(threads: int, precision: str) -> None:
    torch.set_num_threads(threads)
    torch.set_float32_matmul_precision(precision)

    with exact_arithmetic():
        pass

    assert torch.get_num_threads() == threads
    assert torch.get_float32_matmul_precision() == precision
    assert not flushes_denormals()
    assert not torch.is_inference_mode_enabled()


# Fails: leaving the block turns flushing off, whatever it was before.
def test_a_caller_who_flushed_denormals_still_does() -> None:
    torch.set_flush_denormal(True)

    with exact_arithmetic():
        pass

    assert flushes_denormals()


def test_the_callers_settings_come_back_after_an_error() -> None:
    torch.set_num_threads(2)

    with pytest.raises(ZeroDivisionError), exact_arithmetic():
        _ = 1 / 0

    assert torch.get_num_threads() == 2
    assert not flushes_denormals()


def test_blocks_may_stand_inside_each_other() -> None:
    torch.set_num_threads(2)

    with exact_arithmetic():
        with exact_arithmetic():
            pass
        # Fails: the inner block's end turns flushing off for the rest of the outer one.
        assert flushes_denormals()
        assert torch.get_num_threads() == 1

    assert torch.get_num_threads() == 2
