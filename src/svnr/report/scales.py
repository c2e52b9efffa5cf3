"""How much is run: the same notebooks, with other numbers."""

SCALES = {
    "smoke": "every cell runs, at toy size (about three minutes)",
    "quick": "every figure and table from nothing, at reduced size (minutes)",
    "paper": "the paper's own counts, into figures/ and results/ (resumable)",
}
