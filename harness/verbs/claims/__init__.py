"""Probe and expectation in one: a claim looks and never acts. File name = the word in the YAML."""
