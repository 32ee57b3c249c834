"""What a person looks at: a run's report, the same live while it trains, and event files."""

from minigan.report.make import write_report

__all__ = ["write_report"]
