from isthmus.kube.errors import ApiError, Call, Conflict, Forbidden
from isthmus.reconcile.errors import Transient

CALL = Call("https://east:6443", "list", "endpoints.submariner.io", "broker")


def test_a_message_names_the_call_the_cause_and_what_to_do():
    error = Forbidden(CALL, 'User "x" cannot list')

    assert str(error) == (
        "cannot list endpoints.submariner.io in namespace broker at https://east:6443: "
        'User "x" cannot list; grant the account that verb in its Role or ClusterRole '
        "(isthmus join writes the right ones)"
    )


def test_a_call_on_one_object_names_it():
    assert str(Call("https://east", "get", "nodes", name="gw")) == "get nodes gw at https://east"


def test_a_message_is_one_line_of_bounded_length():
    error = Conflict(CALL, "first line\nsecond line \x1b[31m" + "x" * 10_000)

    assert "first line second line" in str(error)
    assert str(error).isprintable()
    assert len(str(error)) < 600


def test_every_refusal_may_pass():
    assert issubclass(ApiError, Transient)
