"""Whether all is well, for probes, alarms and Prometheus; from the store alone."""
