"""The study that `benchmark_study` times: CartPole-v1 over five hyperparameters."""

NAME, ENV_ID, EVALUATIONS, EPISODES = "whole", "CartPole-v1", 25, 10
BATCH, TRAIN_FREQ, LEARNING_STARTS = 64, 4, 1_000
SPACE = """
learning_rate = { low = 1e-5, high = 1e-2, log = true }
gamma = { choices = [0.95, 0.98, 0.99, 0.995] }
buffer_size = { choices = [5_000, 20_000, 50_000] }
target_update_interval = { low = 10, high = 5_000, log = true }
epsilon_decay_steps = { low = 1_000, high = 40_000, log = true }
"""


def study_text(trials: int, seeds: int, steps: int, hidden_layers: tuple[int, ...]) -> str:
    """The study's file."""
    return f"""
[study]
name = "{NAME}"
env = "{ENV_ID}"
trials = {trials}
[budget]
steps = {steps}
evaluations = {EVALUATIONS}
episodes = {EPISODES}
[seeds]
start = {seeds}
max = {seeds}
[space]{SPACE}[fixed]
hidden_layers = {list(hidden_layers)}
batch_size = {BATCH}
train_freq = {TRAIN_FREQ}
learning_starts = {min(LEARNING_STARTS, steps // 2)}
"""
