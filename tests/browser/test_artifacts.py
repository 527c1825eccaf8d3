"""Files in the admin: written in a browser, read there and elsewhere."""

import urllib.request

from playwright.sync_api import expect


def test_a_file_is_uploaded_looked_into_and_given_to_others(desk, api, served):
    session = api.session()
    desk.session(session, "?tab=artifacts")
    file = {"name": "day.csv", "mimeType": "text/csv", "buffer": b"n,price\n" + b"1,2\n" * 900_000}
    desk.page.locator("#ae-artifact-file").set_input_files(file)
    desk.page.get_by_role("button", name="Upload").click()
    expect(desk.page.locator("#ae-artifact h2")).to_have_text("day.csv")

    desk.page.get_by_role("button", name="Make a link").click()
    link = desk.page.locator("#ae-link-text").inner_text()
    with urllib.request.urlopen(link, timeout=20) as answer:  # noqa: S310 -- a server of ours
        assert answer.read() == file["buffer"]

    with desk.page.expect_download() as got:
        desk.page.get_by_role("link", name="Download").click()
    assert got.value.suggested_filename == "day.csv"


def test_a_file_of_an_agent_appears_on_the_open_page(desk, api):
    session = api.session()
    desk.session(session, "?tab=artifacts")

    wanted = {"name": "day.md", "type": "report", "format": "md", "title": "The day"}
    api.post(f"sessions/{session['id']}/artifacts/generate", wanted)

    expect(desk.page.locator("#ae-artifacts")).to_contain_text("day.md")
