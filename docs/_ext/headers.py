"""Corners of tables, empty in Markdown, get a word for those who hear the page."""

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform


class HeaderOfCorner(SphinxPostTransform):
    default_priority = 500

    def run(self, **kwargs) -> None:
        for head in self.document.findall(nodes.thead):
            for entry in head.findall(nodes.entry):
                if not entry.astext():
                    entry[:] = [nodes.paragraph("", "", _HIDDEN.deepcopy())]


# Bootstrap, of which the theme is made, shows the class to screen readers alone.
_HIDDEN = nodes.inline("", "of what", classes=["visually-hidden"])


def setup(app):
    app.add_post_transform(HeaderOfCorner)
    return {"parallel_read_safe": True}
