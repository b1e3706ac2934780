"""Profiles CSV and JSON lines files of any size in bounded memory.

Nothing in this package knows the SDK: it takes paths and callables and returns
plain values, so that it runs, and is tested, without a host.
"""
