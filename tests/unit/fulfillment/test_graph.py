"""The way from a person's seeds to every row, planned from the map alone."""

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from services.fulfillment.datamap.explain import explain
from services.fulfillment.datamap.graph import deletion_order, map_links, plan_walk
from services.fulfillment.datamap.model import DataMap, MapCollection, MapField, Place, Reference


def table(name: str, *columns: str, key: Iterable[str] = ("id",), email: str | None = None) -> MapCollection:
    names = dict.fromkeys([*key, *columns, *([email] if email else [])])
    fields = {
        column: MapField(column, primary_key=column in key, identity="email" if column == email else None)
        for column in names
    }
    return MapCollection(name, fields)


def reference(holder: str, referenced: str, direction: str | None = None) -> Reference:
    own, other = Place(*holder.split(".")), Place(*referenced.split("."))
    return Reference(own, other, "from" if direction == "from" else "to" if direction == "to" else None)


def a_map(tables: Iterable[MapCollection], *references: Reference) -> DataMap:
    return DataMap("shop", {each.name: each for each in tables}, references)


def steps(datamap: DataMap, kinds: Iterable[str] = ("email",)) -> set[str]:
    return {
        f"{edge.source} {'+'.join(a for a, _ in edge.pairs)} -> {edge.target} {'+'.join(b for _, b in edge.pairs)}"
        f"{' (up)' if edge.upward else ''}"
        for edge in plan_walk(datamap, set(kinds)).edges
    }


def test_a_walk_goes_from_the_row_that_is_referred_to_down_to_those_that_refer_to_it() -> None:
    datamap = a_map(
        [table("people", email="email"), table("orders", "person_id"), table("lines", "order_id")],
        reference("orders.person_id", "people.id"),
        reference("lines.order_id", "orders.id"),
    )

    assert steps(datamap) == {"people id -> orders person_id", "orders id -> lines order_id"}


def test_a_walk_goes_up_to_a_parent_that_only_a_child_leads_to_and_says_so() -> None:
    datamap = a_map(
        [table("subscribers", "person_id", email="email"), table("people"), table("orders", "person_id")],
        reference("subscribers.person_id", "people.id"),
        reference("orders.person_id", "people.id"),
    )

    assert steps(datamap) == {"subscribers person_id -> people id (up)", "people id -> orders person_id"}


def test_a_walk_never_returns_along_the_edge_that_it_took() -> None:
    datamap = a_map(
        [table("members", "household_id", email="email"), table("households")],
        reference("members.household_id", "households.id"),
    )

    assert steps(datamap) == {"members household_id -> households id (up)"}


def test_a_stated_direction_is_the_only_one() -> None:
    tables = [table("people", email="email"), table("orders", "person_id", email="guest_email")]

    down = a_map(tables, reference("orders.person_id", "people.id", "from"))
    up = a_map(tables, reference("orders.person_id", "people.id", "to"))

    assert steps(down) == {"people id -> orders person_id"}
    assert steps(up) == {"orders person_id -> people id (up)"}


def test_a_reference_written_at_the_parent_means_the_same() -> None:
    tables = [table("people", email="email"), table("orders", "person_id")]
    datamap = a_map(tables, reference("people.id", "orders.person_id", "to"))

    assert steps(datamap) == {"people id -> orders person_id"}
    assert map_links(datamap) == [("orders", "people")]


def test_columns_that_are_the_parents_whole_key_are_walked_together() -> None:
    datamap = a_map(
        [
            table("people", key=("tenant", "number"), email="email"),
            table("orders", "tenant", "person_number"),
        ],
        reference("orders.tenant", "people.tenant"),
        reference("orders.person_number", "people.number"),
    )

    assert steps(datamap) == {"people tenant+number -> orders tenant+person_number"}


def test_two_columns_that_refer_to_the_same_key_are_two_ways() -> None:
    datamap = a_map(
        [table("people", email="email"), table("transfers", "giver_id", "taker_id")],
        reference("transfers.giver_id", "people.id"),
        reference("transfers.taker_id", "people.id"),
    )

    assert steps(datamap) == {"people id -> transfers giver_id", "people id -> transfers taker_id"}


def test_a_table_that_refers_to_itself_is_walked_and_never_counts_as_shared() -> None:
    datamap = a_map(
        [table("people", "merged_into", email="email")], reference("people.merged_into", "people.id")
    )

    assert steps(datamap) == {"people id -> people merged_into"}


def test_what_no_known_seed_leads_to_is_named() -> None:
    datamap = a_map([table("people", email="email"), table("islands", "x"), table("reefs", "island_id")],
        reference("reefs.island_id", "islands.id"))  # fmt: skip

    assert plan_walk(datamap, {"email"}).unreached == ("islands", "reefs")
    assert plan_walk(datamap, {"phone"}).unreached == ("islands", "people", "reefs")


def test_the_plan_can_be_told_before_anything_is_run() -> None:
    datamap = a_map(
        [table("subscribers", "person_id", email="email"), table("people")],
        reference("subscribers.person_id", "people.id"),
    )

    told = explain(datamap, {"email"})

    assert "subscribers where email is the email (exact)" in told
    assert "people where id = subscribers.person_id, unless other people's rows refer to it" in told
    assert told.index("subscribers: rows are erased") < told.index("people: rows are erased")


NAMES = st.sampled_from("abcdefgh")
LINKS = st.lists(st.tuples(NAMES, NAMES), max_size=20)


@given(LINKS)
def test_every_table_is_deleted_exactly_once_whatever_refers_to_what(links: list[tuple[str, str]]) -> None:
    assert sorted(deletion_order("abcdefgh", links)) == list("abcdefgh")


@given(st.lists(st.tuples(NAMES, NAMES).filter(lambda link: link[0] > link[1]), max_size=20))
def test_children_go_before_their_parents_where_there_is_no_circle(links: list[tuple[str, str]]) -> None:
    order = deletion_order("abcdefgh", links)

    assert all(order.index(child) < order.index(parent) for child, parent in links)


@given(LINKS)
def test_the_order_does_not_depend_on_how_the_links_are_listed(links: list[tuple[str, str]]) -> None:
    assert deletion_order("abcdefgh", links) == deletion_order("hgfedcba", list(reversed(links)))


DIRECTIONS = st.sampled_from([None, "from", "to"])


@st.composite
def any_maps(draw: st.DrawFn) -> DataMap:
    """Five tables, one of them with an e-mail, and any references between them, circles included."""
    names = "abcde"
    tables = [
        table(name, *(f"{other}_id" for other in names), email="email" if name == "a" else None)
        for name in names
    ]
    ends = draw(st.lists(st.tuples(st.sampled_from(names), st.sampled_from(names), DIRECTIONS), max_size=12))
    return a_map(tables, *(reference(f"{own}.{other}_id", f"{other}.id", way) for own, other, way in ends))


@given(any_maps())
def test_every_reached_table_has_a_way_that_starts_at_a_seed(datamap: DataMap) -> None:
    plan = plan_walk(datamap, {"email"})

    reached = {"a"}
    while more := {edge.target for edge in plan.edges if edge.source in reached} - reached:
        reached |= more
    assert reached == set(datamap.collections) - set(plan.unreached)


@given(any_maps())
def test_an_undirected_reference_between_two_tables_is_walked_one_way_only(datamap: DataMap) -> None:
    undirected = {
        frozenset([(r.holder.collection, r.holder.field), (r.referenced.collection, r.referenced.field)])
        for r in datamap.references
        if r.direction is None and r.holder.collection != r.referenced.collection
    }
    directed = {
        frozenset([(r.holder.collection, r.holder.field), (r.referenced.collection, r.referenced.field)])
        for r in datamap.references
        if r.direction is not None
    }
    edges = [
        frozenset([(edge.source, a), (edge.target, b)])
        for edge in set(plan_walk(datamap, {"email"}).edges)
        for a, b in edge.pairs
    ]

    assert all(edges.count(pair) <= 1 for pair in undirected - directed)
