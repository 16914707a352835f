"""One renderer per report format.

A renderer is a module with ``FILE_NAME`` and ``render(run, events) -> str``: ``run`` is the
value of ``run.json`` (see ``docs/record.md``), ``events(trial_id)`` the timeline of a trial.
It shows what was judged and computes neither a verdict nor an exit code. Modules of this
room without ``FILE_NAME`` are what the renderers share.
"""
