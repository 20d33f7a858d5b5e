from sync.engine.scope.nesting import closure


def test_a_group_stands_for_itself() -> None:
    assert closure(["a"], [], {"a": {"b"}}) == {("a", "a"): ("a",)}


def test_a_nested_group_stands_for_all_inside_it_with_the_way() -> None:
    found = closure([], ["a"], {"a": {"b"}, "b": {"c"}})
    assert found == {("a", "a"): ("a",), ("a", "b"): ("a", "b"), ("a", "c"): ("a", "b", "c")}


def test_cycles_end() -> None:
    found = closure([], ["a", "b"], {"a": {"b"}, "b": {"a", "b"}})
    assert found == {("a", "a"): ("a",), ("a", "b"): ("a", "b"), ("b", "b"): ("b",), ("b", "a"): ("b", "a")}


def test_the_shortest_way_wins_and_among_equals_always_the_same() -> None:
    inside = {"a": {"x", "y", "z"}, "x": {"m"}, "y": {"m"}, "m": {"z"}}
    found = closure([], ["a"], inside)
    assert found["a", "z"] == ("a", "z")
    assert found["a", "m"] == ("a", "x", "m")
