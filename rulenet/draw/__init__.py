"""The primitives of `rulenet.base.drawing` drawn in a terminal and as HTML, and figures of calibration.

Imports base and errors only. The modules know primitives, not results: a result lists its blocks and inherits `to_html`, `_repr_html_`
and `__str__` from `shown.Shown`. So this package is below `explain`. The first sketch of the design had it above, but then
`Explanation.to_html()` would have to import from above.
"""
