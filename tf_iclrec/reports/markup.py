"""HTML and SVG from nested calls; text is escaped unless it is known to be markup."""

import html

# They have no end tag.
_VOID = frozenset({"meta"})


class Html(str):
    """Markup: `element` puts it in as it is, and escapes every other text."""


def element(tag: str, *content: object, **attributes: object) -> Html:
    """A tag with what is in it.

    Args:
        tag: Its name.
        content: `Html`, anything else as text, lists of these, or None for nothing.
        attributes: Their values, or None to leave one out. ``class_`` is ``class``,
            ``stroke_width`` is ``stroke-width``.

    Example:
    >>> element("p", "tea & ", element("b", "<jam>"), class_="note", id=None)
    '<p class="note">tea &amp; <b>&lt;jam&gt;</b></p>'
    """
    written = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{html.escape(str(value))}"'
        for name, value in attributes.items()
        if value is not None
    )
    end = "" if tag in _VOID else f"</{tag}>"
    return Html(f"<{tag}{written}>{_inside(content)}{end}")


def _inside(content: object) -> str:
    if isinstance(content, Html):
        return content
    if isinstance(content, list | tuple):
        return "".join(map(_inside, content))
    return "" if content is None else html.escape(str(content))
