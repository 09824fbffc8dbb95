"""Which form the environments of a cohort get."""

from agents.classic_control import classic_lanes
from agents.environments import EnvFacts, EnvSpec, GymnasiumLanes, LaneEnvs


def make_lane_envs(spec: EnvSpec, facts: EnvFacts) -> LaneEnvs:
    """No lanes yet: all lanes as one array where we have the equations, else one object each."""
    return classic_lanes(spec) or GymnasiumLanes(spec, facts)
