import pytest
import tensorflow as tf

from tf_iclrec.commands import run_command
from tf_iclrec.errors import LostProcessError, NonFiniteLossError, UserError, nearest


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


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (MemoryError("Unable to allocate 7 TiB"), 1, "Out of memory. Unable to allocate 7 TiB"),
        (OSError(28, "No space left on device"), 2, "No space left on device. What was there"),
        (
            tf.errors.ResourceExhaustedError(None, None, "OOM when allocating\nmore"),
            1,
            "Out of memory. OOM when allocating",
        ),
        (NonFiniteLossError("Epoch 2, step 1: loss is not finite."), 1, "Epoch 2, step 1: loss is"),
        (LostProcessError("Another process has ended."), 1, "Another process has ended."),
    ],
)
def test_what_a_machine_or_a_training_lacks_is_one_line(error, code, message, capsys):
    def command():
        raise error

    with pytest.raises(SystemExit) as stopped:
        run_command(command, "")
    assert stopped.value.code == code
    said = capsys.readouterr().err
    assert said.startswith(f"error: {message}")
    assert said.count("\n") == 1


def test_an_error_that_nobody_foresaw_is_not_hidden():
    def command():
        raise KeyError("x")

    with pytest.raises(KeyError):
        run_command(command, "")
