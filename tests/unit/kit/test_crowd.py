from aegis_project.kit.crowd import Crowd


def test_so_many_of_a_name_are_let_in_and_others_beside_them():
    crowd = Crowd()

    found = [crowd.enter(name, most=2) for name in ("a", "a", "a", "b")]

    assert found == [True, True, False, True]
    assert len(crowd) == 2


def test_who_leaves_makes_room_and_is_forgotten():
    crowd = Crowd()
    for _ in range(2):
        crowd.enter("a", most=2)

    crowd.leave("a")
    again = crowd.enter("a", most=2)
    crowd.leave("a")
    crowd.leave("a")

    assert again
    assert len(crowd) == 0


def test_a_limit_of_zero_is_none():
    crowd = Crowd()

    assert all(crowd.enter("a", most=0) for _ in range(100))
