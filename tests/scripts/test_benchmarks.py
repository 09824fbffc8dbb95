"""The benchmark is alive; how fast anything is, no test may say."""

import json
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "scripts" / "benchmark_lanes"


def test_the_benchmark_of_lanes_writes_the_rates_of_every_row(tmp_path: Path) -> None:
    file = tmp_path / "rates.json"
    sizes = ["--steps", "300", "--alternations", "1", "--lanes", "1,2"]

    subprocess.run(
        [sys.executable, str(SCRIPT), "--quick", "--json", str(file), *sizes], check=True
    )

    results = json.loads(file.read_text())["results"]
    assert [result["row"]["lanes"] for result in results] == [1, 2]
    for result in results:
        assert {"ours", "products"} <= set(result["turns"])
        assert all(rate > 0 for turns in result["turns"].values() for rate in turns)
