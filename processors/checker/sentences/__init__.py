"""The sentence of each finding code: what is wrong, and the way out. `table.py` names one for each code.

A sentence never guesses. It holds only what the finding holds, so that the facts can be checked against it.
"""
