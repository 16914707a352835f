"""The application that keeps reading and writing while a migration fails.

``background`` is the application, ``worker`` one of its threads with its session, ``workload``
what a worker does next, ``pulse`` what is in flight and what has finished.
"""
