"""SDMX REST 2.1 for statisticians' tools: `/sdmx/2.1/`.

Structures come from the contracts of layer `aggregate`, data from the same rows every door gives. XML 2.1 and SDMX-JSON 1.0.
"""
