"""What a person looks at: a run's report, the same live while it trains, and event files."""

from minigan.report.make import serve_report, write_report

__all__ = ["serve_report", "write_report"]
