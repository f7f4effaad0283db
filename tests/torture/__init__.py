"""Campaigns that try to make Tidemark lose something, hang, or take wrong figures for right ones.

    make torture                          every campaign in full; writes docs/torture.md
    python -m tests.torture mutations     one of them; --part 0.01 a hundredth of it

The suite runs a small part of each (`test_torture.py`).
"""
