"""A street of cheap subscribers before the real processes, and everything that can happen to it.

``python -m tests.soak`` runs it for as long as you like (``./dev soak``); the tests run a moment of it.
"""
