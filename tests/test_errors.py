import pytest

from tf_iclrec.errors import NonFiniteLossError, UserError, nearest


def test_user_error_is_caught_as_value_error():
    with pytest.raises(ValueError, match="no such column"):
        raise UserError("no such column")


def test_non_finite_loss_is_not_a_user_error():
    assert issubclass(NonFiniteLossError, ArithmeticError)
    assert not issubclass(NonFiniteLossError, UserError)


@pytest.mark.parametrize(
    ("typed", "guess"), [("sasrek", "sasrec"), ("cl4rec", "cl4srec"), ("iclrec", "iclrec")]
)
def test_nearest_guesses_the_closest_name(typed, guess):
    valid = ["sasrec", "iclrec", "cl4srec"]
    assert nearest(typed, valid) == f"did you mean {guess!r}?"


def test_nearest_lists_all_names_in_order_when_none_is_close():
    assert nearest("bert", iter(["sasrec", "iclrec"])) == "valid are iclrec, sasrec."
