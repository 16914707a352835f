"""The words of a scenario's YAML: faults, holds, steps, claims; one file each."""
