"""What every benchmark answers: its figures, those of the baselines beside it, and what is aimed at."""

import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Result:
    """One benchmark run; `ratios` are such that more is always better, `aims` name the least of them.

    `ours` and `baselines` are in `unit`, `peak_mb` is the peak memory of our process in MiB, `seconds`
    the time of the whole run.
    """

    name: str
    unit: str
    ours: float
    baselines: dict[str, float]
    ratios: dict[str, float]
    aims: dict[str, float]
    peak_mb: float
    seconds: float

    def as_json(self) -> str:
        """The result as one line of JSON."""
        return json.dumps(asdict(self), ensure_ascii=False)

    def table(self) -> str:
        """The figures for people, one line each, with a word on every aim."""
        lines = [f"{'ours':24} {self.ours:>12,.0f} {self.unit}"]
        lines += [f"{name:24} {figure:>12,.0f} {self.unit}" for name, figure in self.baselines.items()]
        lines += [f"{'ratio ' + name:24} {ratio:>12.2f} {self._judged(name)}" for name, ratio in self.ratios.items()]
        return "\n".join([*lines, f"{'peak memory':24} {self.peak_mb:>12,.0f} MB"])

    def _judged(self, name: str) -> str:
        aim = self.aims.get(name)
        if aim is None:
            return ""
        return f"aim {aim:g}: {'reached' if self.ratios[name] >= aim else 'missed'}"
