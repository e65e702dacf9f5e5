"""What operators and monitoring see of the daemon: structured logs and metrics.

What is logged or counted is the callers' choice; docs/logs.md and docs/metrics.md list it.
"""

from gated.telemetry.logs import configure_logs
from gated.telemetry.metrics import Metrics

__all__ = ["Metrics", "configure_logs"]
