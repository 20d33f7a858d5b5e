"""Every fault of reading the source (B) and of writing to the target (C), with the test that drives it, or why it is not ours.

`tests/test_faults.py` compares the table with what is collected: each test carries `@pytest.mark.fault(id)`.
"""

from typing import NamedTuple


class Fault(NamedTuple):
    """`test`: file::function of the test that stands for it (others may carry the mark too)."""

    what: str
    test: str = ""
    not_ours: str = ""


FAULTS: dict[str, Fault] = {
    "B1": Fault(
        "a full reading that brings nobody",
        "tests/faulted/reading/test_b_sanity.py::test_an_empty_directory_fails_the_run_and_no_setting_lets_it_pass",
    ),
    "B2": Fault(
        "empty pages before the last one",
        "tests/faulted/reading/test_b_sanity.py::test_empty_pages_with_a_next_link_are_passed_over",
    ),
    "B3": Fault(
        "a page in the middle that fails",
        "tests/faulted/reading/test_b_reads.py::test_a_page_that_fails_again_and_again_ends_the_run_and_removes_nobody",
    ),
    "B4": Fault(
        "one group's members that cannot be read",
        "tests/faulted/reading/test_b_sanity.py::test_a_group_whose_members_cannot_be_read_is_held_alone",
    ),
    "B5": Fault(
        "a reading that is cut short without a word",
        "tests/faulted/reading/test_b_sanity.py::test_a_full_round_that_misses_some_removes_nobody",
    ),
    "B6": Fault(
        "a body that is cut",
        "tests/faulted/reading/test_b_reads.py::test_a_body_that_is_cut_is_asked_for_again_and_never_used_in_part",
    ),
    "B7": Fault(
        "a login page in place of JSON",
        "tests/faulted/reading/test_b_reads.py::test_a_login_page_in_place_of_an_answer_is_an_error",
    ),
    "B8": Fault(
        "an answer of another shape",
        "tests/faulted/reading/test_b_reads.py::test_an_answer_of_another_shape_is_an_error",
    ),
    "B9": Fault(
        "pages without end",
        "tests/faulted/reading/test_b_reads.py::test_a_round_without_end_is_given_up",
    ),
    "B10": Fault(
        "a next page that is gone",
        "tests/faulted/reading/test_b_reads.py::test_a_next_link_that_is_gone_begins_the_round_anew_once",
    ),
    "B11": Fault(
        "a link to another host",
        "tests/faulted/reading/test_b_reads.py::test_a_link_to_another_host_is_not_followed",
    ),
    "B12": Fault(
        "a dead delta token",
        "tests/faulted/reading/test_b_rounds.py::test_a_dead_token_leads_to_a_full_round_that_finds_who_left",
    ),
    "B13": Fault(
        "a delta token that is too old",
        "tests/faulted/reading/test_b_rounds.py::test_a_token_older_than_a_week_is_refused_and_everybody_is_read",
    ),
    "B14": Fault(
        "replays, duplicates, any order",
        "tests/faulted/reading/test_b_rounds.py::test_replays_duplicates_and_any_order_change_nothing",
    ),
    "B15": Fault(
        "a change that is told late",
        "tests/faulted/reading/test_b_rounds.py::test_a_change_that_is_told_late_arrives_late",
    ),
    "B16": Fault(
        "a removal that no changes-round tells",
        "tests/faulted/reading/test_b_rounds.py::test_a_removal_that_no_round_tells_is_found_within_a_day",
    ),
    "B17": Fault(
        "deleted for now, and for good",
        "tests/faulted/reading/test_b_rounds.py::test_whoever_is_deleted_is_disabled_and_not_deleted_at_once",
    ),
    "B18": Fault(
        "deleted and restored",
        "tests/faulted/reading/test_b_rounds.py::test_whoever_is_restored_is_the_same_user_in_the_same_groups",
    ),
    "B19": Fault(
        "a successor with the same user name",
        "tests/faulted/reading/test_b_rounds.py::test_a_successor_with_the_same_user_name_inherits_nothing",
    ),
    "B20": Fault(
        "a member who becomes a guest",
        "tests/faulted/reading/test_b_rounds.py::test_a_person_who_becomes_a_guest_and_back_stays_the_same",
    ),
    "B21": Fault(
        "a group too large for one page",
        "tests/faulted/reading/test_b_rounds.py::test_a_large_group_comes_in_portions_and_goes_out_in_hundreds",
    ),
    "B22": Fault(
        "groups inside each other, in a ring",
        "tests/faulted/reading/test_b_rounds.py::test_groups_that_hold_each_other_bring_everybody_once_when_nested_ones_are_included",
    ),
    "B23": Fault(
        "members that are no people",
        "tests/faulted/reading/test_b_rounds.py::test_members_that_are_no_people_are_ignored",
    ),
    "B24": Fault(
        "throttling with any Retry-After",
        "tests/faulted/reading/test_b_reads.py::test_throttling_is_waited_for_whatever_it_says",
    ),
    "B25": Fault(
        "a permission that was taken away",
        "tests/faulted/reading/test_b_reads.py::test_a_permission_taken_away_is_no_empty_directory",
    ),
    "B26": Fault(
        "a body that drips",
        "tests/faulted/reading/test_b_reads.py::test_an_answer_that_drips_meets_a_time_limit",
    ),
    "B27": Fault(
        "a body that unpacks without end",
        "tests/faulted/reading/test_b_reads.py::test_an_answer_that_unpacks_without_end_is_cut_off",
    ),
    "B28": Fault(
        "JSON that says nothing certain",
        "tests/faulted/reading/test_b_reads.py::test_json_that_means_nothing_certain_is_refused",
    ),
    "B29": Fault(
        "forged, repeated and oversized change notifications",
        not_ours="The product registers no Graph subscription and has no address that takes notifications.",
    ),
    "C1": Fault(
        "a create that was applied and not answered",
        "tests/faulted/test_c_writes.py::test_a_create_that_was_applied_and_not_answered_is_found",
    ),
    "C2": Fault(
        "a create that never arrived",
        "tests/faulted/test_c_writes.py::test_a_create_that_never_arrived_is_sent_once_more",
    ),
    "C3": Fault(
        "a create that is applied late",
        "tests/faulted/test_c_writes.py::test_a_create_that_is_applied_late_makes_one_person",
    ),
    "C4": Fault(
        "a name that is taken",
        "tests/faulted/test_c_writes.py::test_a_conflict_with_our_own_object_links_it",
    ),
    "C5": Fault(
        "a name that is taken by something no filter finds",
        "tests/faulted/test_c_writes.py::test_a_conflict_with_something_that_no_filter_finds_waits_in_escrow",
    ),
    "C6": Fault(
        "a filter that finds two",
        "tests/faulted/test_c_writes.py::test_two_objects_that_could_be_ours_are_both_left",
    ),
    "C7": Fault(
        "a list that is cut short",
        "tests/faulted/test_c_drift.py::test_a_list_that_comes_back_empty_forgets_nobody",
    ),
    "C8": Fault(
        "members that are never told",
        "tests/faulted/test_c_drift.py::test_members_that_come_back_empty_are_never_taken_for_removed",
    ),
    "C9": Fault(
        "more than a hundred members at once",
        "tests/faulted/test_c_writes.py::test_a_chunk_that_failed_is_sent_again_alone",
    ),
    "C10": Fault(
        "a token that ends in the middle",
        "tests/faulted/test_c_writes.py::test_a_refused_token_stops_all_writes_and_blames_nobody",
    ),
    "C11": Fault(
        "a token that may no longer write",
        "tests/faulted/test_c_writes.py::test_a_refused_token_stops_all_writes_and_blames_nobody",
    ),
    "C12": Fault(
        "a linked person who is gone",
        "tests/faulted/test_c_writes.py::test_a_person_deleted_in_aws_comes_back_and_nobody_else_is_touched",
    ),
    "C13": Fault(
        "a member who is gone already",
        "tests/faulted/test_c_writes.py::test_a_member_who_is_gone_already_counts_as_removed",
    ),
    "C14": Fault(
        "an object that changed meanwhile",
        "tests/faulted/test_c_writes.py::test_an_object_that_changed_meanwhile_is_read_and_written_again",
    ),
    "C15": Fault(
        "one person whom AWS refuses",
        "tests/faulted/test_c_writes.py::test_one_refused_person_waits_alone",
    ),
    "C16": Fault(
        "a storm of 429",
        "tests/faulted/test_c_writes.py::test_throttling_is_waited_for",
    ),
    "C17": Fault(
        "an endpoint that is down for minutes",
        "tests/faulted/test_c_writes.py::test_an_endpoint_that_is_down_stops_the_run_and_everything_arrives_later",
    ),
    "C18": Fault(
        "four in ten writes that fail",
        "tests/faulted/test_c_writes.py::test_people_whose_requests_fail_wait_and_the_others_arrive",
    ),
    "C19": Fault(
        "a success that is about somebody else",
        "tests/faulted/test_c_writes.py::test_an_answer_about_somebody_else_links_nobody_to_it",
    ),
    "C20": Fault(
        "a success that cannot be read",
        "tests/faulted/test_c_writes.py::test_a_success_that_cannot_be_read_is_looked_up",
    ),
    "C21": Fault(
        "a redirect to another host",
        "tests/faulted/test_c_writes.py::test_a_redirect_is_not_followed",
    ),
    "C22": Fault(
        "a certificate that is not right",
        "tests/faulted/test_c_certificates.py::test_a_certificate_that_is_not_right_ends_before_the_token_is_shown",
    ),
    "C23": Fault(
        "edits by hand in AWS",
        "tests/faulted/test_c_drift.py::test_hand_edits_are_found_and_put_right_and_what_is_not_ours_is_left",
    ),
    "C24": Fault(
        "two who swap their names",
        "tests/sync/engine/evaluation/test_clashes.py::test_two_people_who_swap_their_names_keep_their_ids",
    ),
    "C25": Fault(
        "names that move in chains and rings",
        "tests/sync/engine/evaluation/test_clashes.py::test_any_permutation_of_names_is_carried_out_without_a_clash",
    ),
    "C26": Fault(
        "a change of letter case alone",
        "tests/faulted/test_c_writes.py::test_a_change_of_letter_case_is_one_patch_and_then_rest",
    ),
    "C27": Fault(
        "a server that normalises values",
        "tests/faulted/test_c_writes.py::test_a_server_that_normalises_is_not_written_to_forever",
    ),
    "C28": Fault(
        "a new primary address",
        "tests/faulted/test_c_writes.py::test_a_new_address_is_an_update_of_the_same_user",
    ),
    "C29": Fault(
        "a group deleted and made anew",
        "tests/sync/engine/evaluation/test_clashes.py::test_a_group_made_anew_waits_and_can_go_on_as_the_old_one_in_aws",
    ),
    "C30": Fault(
        "a quota that is used up",
        "tests/faulted/test_c_writes.py::test_with_the_quota_used_up_updates_and_disables_go_on",
    ),
    "C31": Fault(
        "answers that take long",
        "tests/faulted/test_c_writes.py::test_a_slow_endpoint_outlives_the_lease_many_times",
    ),
}
