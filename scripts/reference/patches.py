"""What is changed or watched while MiniHF runs: its noise, and calls whose values it does not return."""
import itertools
from contextlib import ExitStack, contextmanager
from unittest.mock import patch

import torch


@contextmanager
def torch_random(**values):
    """torch.NAME gives values[NAME], or the next of a list of them."""
    with ExitStack() as stack:
        for name, value in values.items():
            stack.enter_context(patch.object(torch, name, given(value)))
        yield


def given(value):
    """A function that gives the value, or the next of a list, whatever it is called with."""
    values = iter(value) if isinstance(value, list) else itertools.repeat(value)
    # MiniHF changes in place what it draws.
    return lambda *_, **__: next(values).clone()


@contextmanager
def no_sampling(component):
    """z is the mean itself."""
    with patch.object(component, "sample", lambda mean, tau=1.0: mean):
        yield


@contextmanager
def recorded(owner, name, keep):
    """owner.NAME as it is; `keep(arguments, result)` sees each of its calls."""
    function = getattr(owner, name)

    def call(*arguments, **named):
        result = function(*arguments, **named)
        keep(arguments, result)
        return result

    with patch.object(owner, name, call):
        yield
