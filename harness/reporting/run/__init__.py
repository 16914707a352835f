"""What a drill's run is shown as."""
