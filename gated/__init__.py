"""gated runs the entrances and exits of car parks."""
