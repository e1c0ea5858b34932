"""Numbers as people read them."""


class Share(float):
    """A part of 1, which `readable` writes in per cent."""


class Score(float):
    """A metric between 0 and 1, which `readable` writes with four decimals."""


class Figure(str):
    """Text that is a number, or several: tables set it as they set numbers."""


def readable(value: object) -> str:
    """A number with thousands separators and no more digits than matter; text as it is.

    Example:
    >>> [readable(value) for value in (12345, 1234.5, 0.03456, "tea")]
    ['12,345', '1,234', '0.0346', 'tea']
    >>> [readable(value) for value in (Share(0.1234), Share(2e-5), Score(0.25))]
    ['12.3%', '<0.01%', '0.2500']
    """
    if isinstance(value, Share):
        if 0 < value < 0.0001:
            return "<0.01%"
        return f"{value:.2%}" if 0 < value < 0.01 else f"{value:.1%}"
    if isinstance(value, Score):
        return f"{value:.4f}"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def p_value(value: float) -> Figure:
    """A p-value with three decimals.

    Example:
    >>> p_value(0.0123), p_value(0.0009)
    ('0.012', 'below 0.001')
    """
    return Figure(f"{value:.3f}" if value >= 0.001 else "below 0.001")


def short(value: float) -> str:
    """A number for an axis.

    Example:
    >>> [short(value) for value in (0, 0.25, 800, 1500, 20e6)]
    ['0', '0.25', '800', '1.5k', '20M']
    """
    for unit, name in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= unit:
            return f"{value / unit:.4g}{name}"
    return f"{value:.4g}"
