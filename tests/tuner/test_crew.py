"""Scheduler and trainers never wait for each other."""

from threading import Thread

from agents.kinds import make_hparams
from tuner import messages
from tuner.crew import Crew
from tuner.placement import Place

HPARAMS = make_hparams("deep_q", {"hidden_layers": (8,), "batch_size": 16, "learning_starts": 100})
PLACE = Place(HPARAMS.shape, 1.0)
TALKING, MORE = 60, 600
WAIT_S = 120.0


def admit(run: str, steps: int) -> messages.Admit:
    """A run that is evaluated at every step."""
    return messages.Admit(
        run=run,
        agent="deep_q",
        hparams=HPARAMS.model_dump(mode="json"),
        env_id="CartPole-v1",
        env_kwargs={},
        steps=steps,
        evaluations=steps,
        episodes=1,
        seed=1,
    )


def test_a_trainer_that_has_much_to_say_takes_in_what_it_is_told() -> None:
    """Its socket is full of reports while the scheduler, which does not listen, fills the other."""
    finished = set()
    with Crew(workers=1, lanes=TALKING + MORE, device="cpu") as crew:
        for run in range(TALKING):
            crew.place(admit(f"talking {run}", steps=200), PLACE)
        while not any(isinstance(one, messages.Evaluated) for one in crew.listen(WAIT_S)):
            pass

        def place_more() -> None:
            for run in range(MORE):
                crew.place(admit(f"more {run}", steps=1), PLACE)

        placing = Thread(target=place_more, daemon=True)
        placing.start()
        placing.join(WAIT_S)

        assert not placing.is_alive()
        while len(finished) < TALKING + MORE:
            reports = list(crew.listen(WAIT_S))
            finished |= {one.run for one in reports if isinstance(one, messages.Finished)}
