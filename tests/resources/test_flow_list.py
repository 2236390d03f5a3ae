"""The flows' list: owners, the tree of folders beside it, and what it can be sorted by."""

import re

from django.test import Client

from tests.engine.servers import Reply
from tests.stub_engine import StubEngine, flow, identity, run, text

FLOWS = "/w/sales/flows/"


def _names(client: Client, address: str) -> list[str]:
    """The names of the flows on a page, in their order."""
    return re.findall(r"(?:Flow|Order) \w+(?=</span>)", client.get(address).content.decode())


def _cells(page: str, label: str) -> list[str]:
    """What the cells below a heading say."""
    cells = re.findall(rf'<td class="[^"]*" data-label="{label}">(.*?)</td>', page)
    return [re.sub("<[^>]*>", "", cell).strip() for cell in cells]


def _with_owners(stub_engine: StubEngine) -> None:
    stub_engine.flows = [
        flow(1, "Flow one", ownerId=identity(91)),
        flow(2, "Flow two", ownerId=identity(92)),
        flow(3, "Flow three", ownerId=identity(91)),
    ]
    owners = [{"id": identity(91), "firstName": "Lan", "lastName": "Đỗ"}, {"id": identity(92), "firstName": "Bảo"}]
    stub_engine.rows["/app-connections"] = [
        {"id": identity(number), "externalId": f"c{number}", "displayName": "Mail", "owner": owner}
        for number, owner in enumerate(owners)
    ]


def test_the_list_names_the_owner_of_each_flow(owner: Client, stub_engine: StubEngine) -> None:
    _with_owners(stub_engine)
    assert _cells(text(owner.get(f"{FLOWS}?late=1").content), "Owner") == ["Lan Đỗ", "Bảo", "Lan Đỗ"]


def test_flows_are_filtered_by_their_owner(owner: Client, stub_engine: StubEngine) -> None:
    _with_owners(stub_engine)
    address = f"{FLOWS}?owner={identity(91)}&late=1"
    assert _names(owner, address) == ["Flow one", "Flow three"]
    page = text(owner.get(address).content)
    assert f'<option value="{identity(91)}" selected>Lan Đỗ</option>' in page
    assert f'<option value="{identity(92)}">Bảo</option>' in page
    assert "Owner: Lan Đỗ" in page
    assert "1–2 of 2" in page


def test_flows_are_sorted_by_their_owner(owner: Client, stub_engine: StubEngine) -> None:
    _with_owners(stub_engine)
    assert _names(owner, f"{FLOWS}?sort=owner&late=1") == ["Flow two", "Flow one", "Flow three"]


def test_an_engine_whose_flows_have_no_owner_shows_none(owner: Client, stub_engine: StubEngine) -> None:
    stub_engine.flows = [flow(1, "Flow one")]
    page = text(owner.get(f"{FLOWS}?late=1").content)
    assert "Owner" not in page
    assert 'name="owner"' not in page


def test_an_owner_of_more_than_a_hundred_flows_has_all_of_them(owner: Client, stub_engine: StubEngine) -> None:
    stub_engine.flows = [flow(n, f"Flow {n:03}", ownerId=identity(91 + n % 2)) for n in range(1, 241)]
    stub_engine.faults["/flows/count"] = Reply(200, 240)
    page = text(owner.get(f"{FLOWS}?owner={identity(92)}").content)
    assert "1–20 of 120" in page


def _with_folders(stub_engine: StubEngine) -> None:
    stub_engine.folders = [
        {"id": identity(71), "displayName": "Ván", "numberOfFlows": "1"},
        {"id": identity(72), "displayName": "Đơn hàng", "numberOfFlows": 2},
    ]
    stub_engine.flows = [
        flow(1, "Flow one", folderId=identity(71)),
        flow(2, "Flow two", folderId=identity(72)),
        flow(3, "Flow three"),
        flow(4, "Flow four", folderId=identity(72)),
    ]


def _tree(page: str) -> list[tuple[str, str, str]]:
    """The entries of the tree: their addresses, names and numbers of flows."""
    tree = re.search(r'<nav class="list-tree".*?</nav>', page)
    return re.findall(r'href="([^"]*)"[^>]*><span[^>]*>([^<]*)</span> <span[^>]*>(\d*)', tree[0]) if tree else []


def test_the_folders_are_beside_the_list_with_the_numbers_of_their_flows(
    owner: Client, stub_engine: StubEngine
) -> None:
    _with_folders(stub_engine)
    page = text(owner.get(FLOWS).content)
    assert _tree(page) == [
        (FLOWS, "All flows", "4"),
        (f"{FLOWS}?folder={identity(72)}", "Đơn hàng", "2"),
        (f"{FLOWS}?folder={identity(71)}", "Ván", "1"),
        (f"{FLOWS}?folder=NULL", "In no folder", "1"),
    ]
    # The flows and the folders: nothing else was asked.
    assert [call for call in stub_engine.calls if "flow" in call or "folder" in call] == ["/flows", "/folders"]


def test_the_tree_keeps_the_other_filters_and_marks_the_open_folder(owner: Client, stub_engine: StubEngine) -> None:
    _with_folders(stub_engine)
    stub_engine.faults["/flows/count"] = Reply(200, 4)
    page = text(owner.get(f"{FLOWS}?status=ENABLED&folder={identity(72)}&sort=name&late=1").content)
    entries = _tree(page)
    assert entries[0] == (f"{FLOWS}?status=ENABLED&amp;sort=name", "All flows", "4")
    assert entries[2][0] == f"{FLOWS}?status=ENABLED&amp;folder={identity(71)}&amp;sort=name"
    assert re.search(rf'href="[^"]*folder={identity(72)}[^"]*" aria-current="true"', page)
    assert "whatever the filters" in page


def test_folders_that_share_a_path_stand_below_it(owner: Client, stub_engine: StubEngine) -> None:
    names = ["Sales/Orders", "Sales / Returns", "Nhập/Xuất", "Stock", "Stock/Counts"]
    stub_engine.folders = [
        {"id": identity(70 + n), "displayName": name, "numberOfFlows": 1} for n, name in enumerate(names)
    ]
    page = text(owner.get(FLOWS).content)
    assert [name for _url, name, _number in _tree(page)][1:-1] == ["Nhập/Xuất", "Orders", "Returns", "Stock", "Counts"]
    assert ">Sales</span>" in page


def test_a_workspace_without_folders_has_no_tree(owner: Client, stub_engine: StubEngine) -> None:
    stub_engine.flows = [flow(1, "Flow one")]
    assert not _tree(text(owner.get(FLOWS).content))


def test_flows_are_sorted_by_their_folder(owner: Client, stub_engine: StubEngine) -> None:
    _with_folders(stub_engine)
    # Đ after D and before V; those in no folder last, in both directions.
    assert _names(owner, f"{FLOWS}?sort=folder") == ["Flow two", "Flow four", "Flow one", "Flow three"]
    assert _names(owner, f"{FLOWS}?sort=-folder") == ["Flow one", "Flow two", "Flow four", "Flow three"]


def test_flows_are_sorted_by_their_last_result_and_by_when_it_was(owner: Client, stub_engine: StubEngine) -> None:
    stub_engine.flows = [flow(n, f"Flow {name}") for n, name in enumerate(("one", "two", "three", "four"), 1)]
    stub_engine.runs = [
        run(11, "SUCCEEDED", flowId=identity(1), created="2026-11-24T22:00:00.000Z"),
        run(12, "FAILED", flowId=identity(2), created="2026-11-24T20:00:00.000Z"),
        run(13, "FAILED", flowId=identity(3), created="2026-11-24T21:00:00.000Z"),
    ]
    # The failed ones first, of these the latest.
    assert _names(owner, f"{FLOWS}?sort=results&late=1") == ["Flow three", "Flow two", "Flow one", "Flow four"]
    assert _names(owner, f"{FLOWS}?sort=-last&late=1") == ["Flow one", "Flow three", "Flow two", "Flow four"]


def test_every_column_of_the_list_can_be_sorted_by(owner: Client, stub_engine: StubEngine) -> None:
    _with_owners(stub_engine)
    page = text(owner.get(f"{FLOWS}?late=1").content)
    heads = re.findall(r'<th scope="col" class="kind[^>]*>(.*?)</th>', page)
    assert len(heads) == 10
    assert all('class="sort"' in head for head in heads)
    for key in re.findall(r'id="sort-(\w+)"', page):
        assert len(_names(owner, f"{FLOWS}?sort={key}&late=1")) == 3, key


def test_what_starts_a_flow_is_no_app_of_it(owner: Client, stub_engine: StubEngine) -> None:
    stub_engine.flows = [flow(1, "Flow one")]
    page = text(owner.get(f"{FLOWS}?late=1").content)
    assert _cells(page, "Trigger") == ["Webhook"]
    assert _cells(page, "Apps") == ["–"]
