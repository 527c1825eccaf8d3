from aegis_project.kit.seat import Seat


def test_a_seat_asks_for_nothing_beyond_the_first_protocol():
    seat = Seat(component_id="c", session_id="s", name="feed", patterns=("**",), topics=(), fence=1)

    assert (seat.is_historical, seat.extended, seat.batch, seat.window) == (False, False, False, 0)
