"""What `import optim` brings, at once or when it is asked for."""

import ast
from pathlib import Path

import pytest

import optim
from autograd import Tensor

TREE = ast.parse(Path(optim.__file__).read_text(encoding="utf-8"))


def test_what_type_checkers_see_is_what_is_there():
    checked = next(node for node in TREE.body if isinstance(node, ast.If))
    seen = {(node.module or alias.name, alias.name) for node in checked.body for alias in node.names}
    files = {(name, name) for _, name in seen if name in optim._LATE}
    assert seen - files == {(home, name) for name, home in optim._HOMES.items()}
    for _, name in seen:
        assert getattr(optim, name).__name__.removeprefix("optim.") == name
        assert name in dir(optim)


def test_all_of_the_schedules_are_at_hand():
    for name in optim.lr_scheduler.__all__:
        assert getattr(optim, name) is getattr(optim.lr_scheduler, name)
    with pytest.raises(AttributeError) as error:
        optim.Adamm  # noqa: B018
    assert str(error.value) == "module 'optim' has no attribute 'Adamm'"


def test_every_rule_is_known_by_its_name():
    from optim.registry import NAMES
    for name, kind in NAMES.items():
        made = optim.get(name.upper(), [Tensor([[1.0]], requires_grad=True)])
        assert type(made) is kind is getattr(optim, kind.__name__)
