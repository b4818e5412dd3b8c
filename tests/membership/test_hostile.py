"""What nobody types and someone sends: answered plainly, never with an internal error."""

from __future__ import annotations

import ckan.plugins.toolkit as tk
import pytest
from ckan.tests.helpers import call_action


@pytest.mark.usefixtures("with_plugins")
class TestLists:
    def test_a_huge_offset_is_refused_by_name(self, people):
        with pytest.raises(tk.ValidationError) as raised:
            call_action("dinamis_membership_list", people.context("anonymous"), offset=10**20)
        assert list(raised.value.error_dict) == ["offset"]

    def test_a_nul_in_a_search_finds_nothing_and_breaks_nothing(self, people):
        assert call_action("dinamis_membership_list", people.context("anonymous"), q="B\x00gles")["count"] == 0

    @pytest.mark.parametrize("page", ["²", "-1", "0", "99999999999999999999", "x"])
    def test_a_page_that_is_none(self, app, page):
        with app.flask_app.test_request_context(f"/?page={page}"):
            from ckanext.dinamis_relais.web import LAST_PAGE, PAGE_SIZE, offset

            assert 0 <= offset() <= LAST_PAGE * PAGE_SIZE
