"""Where tensors live."""

import re


def problem_with(device: str) -> str | None:
    """Why nothing can be trained on this device, or None if all is well.

    Only the CPU is promised to be exact; nothing needs a GPU.
    """
    if device == "cpu":
        return None
    if not re.fullmatch(r"cuda(:\d+)?", device):
        return f"'{device}' is unknown; write cpu or cuda"
    import torch  # here, so that a launch on the CPU does not load it

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    number = int(device.partition(":")[2] or 0)
    if number >= count:
        there = ", ".join(["cpu", *(f"cuda:{n}" for n in range(count))])
        return f"no {device}; available: {there}"
    return None
