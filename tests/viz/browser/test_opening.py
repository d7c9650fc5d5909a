"""The page in a real browser, at its shortest: it opens, it folds, it plays."""

from viz.drawing import draw
from viz.offline import page


def test_it_opens_without_asking_for_anything(opened, graphs):
    found = opened(page(graphs["residual"]()))
    assert found.page.title() == "Computation graph of 41 operations"
    found.page.mouse.move(400, 300)
    found.page.click("#unfold")
    found.page.keyboard.press("/")
    found.page.keyboard.type("relu")
    assert found.requests == [] and found.errors == []


def test_modules_and_repeats_fold_and_unfold(opened, graphs):
    found = opened(page(draw(graphs["residual"](6))))
    stack = next(g for g in found.page.query_selector_all("#stage .unit") if "×6" in g.text_content())
    key, before = stack.get_attribute("data-key"), len(found.cards())
    assert stack.get_attribute("aria-expanded") == "false"
    stack.click()
    assert found.focused() == "f" + key[1:]
    assert len(found.cards()) == before + 5                 # six closed blocks in the place of one stack
    blocks = [k for k in found.cards() if k.startswith("u")][:6]
    found.page.click(f'[data-key="{blocks[2]}"]')
    assert "f" + blocks[2][1:] in found.all_keys()
    found.page.keyboard.press("Enter")                      # the header has the focus: it folds again
    assert blocks[2] in found.cards() and found.focused() == blocks[2]
    found.page.click("#unfold")
    assert sum(k.startswith("n") for k in found.cards()) == 41 + 2
    found.page.click("#fold")
    assert not any(k.startswith("f") for k in found.all_keys())
    assert "folded" in found.page.inner_text("#live")
    assert found.errors == []


def test_the_player_steps_through_the_numbers(opened, graphs):
    found = opened(page(draw(graphs["scalars"]())))
    assert found.page.inner_text("#title") == "Backward pass: 3 steps"
    found.page.keyboard.press(".")
    assert found.page.inner_text("#title") == "step 1/3: tanh: gx = g * (1 - out * out)"
    assert "1.0 * (1 - 0.7071 * 0.7071) = 0.5" in found.page.inner_text("#numbers")
    assert "current" in found.classes("n5")
    assert "later" in found.classes("n4") and "later" in found.classes("n3")
    found.page.fill("#slider", "3")                         # x * w, the last one
    assert "gx = g * y = 0.5 * (-3.0) = -1.5" in found.page.inner_text("#numbers")
    assert "later" not in found.classes("n5") and "current" in found.classes("n3")
    assert "step 3" in found.page.inner_text("#panel")
    assert found.page.get_attribute("#slider", "aria-valuetext").startswith("step 3/3")
    found.page.keyboard.press("Escape")
    assert not any("later" in found.classes(key) for key in found.cards())
