"""A plan as people and machines read it: one file a form, and the words that the forms share."""

from reconciler.plan.render.document import FORMAT_VERSION, as_json, totals_as_json
from reconciler.plan.render.markdown import as_markdown
from reconciler.plan.render.text import as_text

__all__ = ["FORMAT_VERSION", "as_json", "as_markdown", "as_text", "totals_as_json"]
