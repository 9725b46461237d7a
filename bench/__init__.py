"""Benchmarks that anyone can run again: ``./dev bench [NAME ...]``.

One module a subject, each with a function ``run`` that gives back a ``report.Report``. What they share: a
``world`` of two network namespaces with a real engine in one, ``load``, the subscribers in a process of
their own, and ``report``, which prints and keeps. Nothing here is imported by what is measured.
"""
