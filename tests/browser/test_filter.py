"""The filter of the pages' tails means what that of the command line does."""

import json

from tests import filters

READ = """
async ([address, source, text]) => {
  const found = (await import(address)).parse(source);
  return [found.matches(text, () => JSON.parse(text)), found.fault ?? ""];
}
"""


def test_filters_of_pages_and_of_the_command_line_mean_the_same(desk):
    desk.open("/admin/")
    address = desk.page.locator("script[src*='aegis/js/shell']").get_attribute("src")
    text = json.dumps(filters.TRADE, separators=(",", ":"))

    def read(source: str) -> tuple[bool, str]:
        given = [address.replace("shell", "filter"), source, text]
        passes, fault = desk.page.evaluate(READ, given)
        return passes, fault.lower()

    assert [(source, *read(source)) for source, _ in filters.PASSES] == [
        (source, passes, "") for source, passes in filters.PASSES
    ]
    for source, said in filters.FAULTS:
        passes, fault = read(source)
        assert passes
        assert said.lower() in fault
