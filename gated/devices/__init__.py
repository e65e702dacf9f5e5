"""Device families as codecs, and the one place that speaks MQTT."""
