"""The canvas: dots, layers and texts end up in the right cells."""

from __future__ import annotations

from monitor.views.screen.canvas import Canvas
from monitor.views.text import Span


def rows(canvas: Canvas) -> list[str]:
    return ["".join(span.text for span in spans) for spans in canvas.lines()]


def test_a_braille_cell_holds_eight_dots_counted_from_the_bottom_left() -> None:
    canvas = Canvas(2, 1, braille=True)
    assert (canvas.xs, canvas.ys) == (4, 4)
    for x, y in ((0, 0), (1, 3), (3, 0)):
        canvas.dot(x, y, "curve")
    assert rows(canvas) == ["⡈⢀"]


def test_a_higher_layer_hides_a_lower_one_in_its_cell() -> None:
    canvas = Canvas(2, 1, braille=False)
    canvas.stroke([(0, 0), (1, 0)], "limit")
    canvas.dot(1, 0, "curve")
    assert canvas.lines() == [(Span("-", "limit"), Span("#", "curve"))]


def test_a_line_is_joined_over_a_jump_and_ends_where_it_leaves_the_canvas() -> None:
    canvas = Canvas(4, 3, braille=False)
    canvas.stroke([(0, 0), (1, 2), (2, 9), (3, 0)], "probable")
    assert rows(canvas) == [" ++ ", " +  ", "+   "]


def test_a_text_moves_aside_for_a_line_and_is_left_out_where_neither_side_is_free() -> None:
    canvas = Canvas(9, 2, braille=False)
    canvas.stroke([(x, 1) for x in range(3)], "curve")
    canvas.write(0, ("above",), "limit")
    canvas.write(1, ("far too long",), "limit")
    assert rows(canvas) == ["###above ", "         "]
