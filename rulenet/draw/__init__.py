"""The primitives of `rulenet.base.drawing` drawn in a terminal and as HTML, and figures of calibration.

Imports base and errors only. The modules know primitives, not results: whoever can be drawn lists its blocks. So this package is below
`explain`, against the first sketch of the design: `Explanation.to_html()` would otherwise import from above.
"""
