"""Deep Q-learning for many agents at once.

Every agent is a *lane*: one row of stacked tensors. What a lane learns depends on its own
hyperparameters and seed alone, bit for bit. This package has never heard of Optuna.
"""

import os

# Intel MKL picks its summation order from the memory alignment of each matrix, which depends on
# how many lanes stand before it. Reproducible mode ends that and costs nothing measurable
# (scripts/benchmark_lanes). MKL reads the variable once, at its first product.
os.environ.setdefault("MKL_CBWR", "AUTO,STRICT")
