"""Settings of property tests: nothing is said about time, since machines differ."""

from hypothesis import HealthCheck, settings

QUIET = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
