//! What "works on storage X" means: one suite of cases for every backend.
//!
//! Each case is a plain async function over a [`Fixture`]: a fresh storage, a second handle to the same jobs,
//! and a clock that stands still. A backend implements [`Backend`] and calls
//! [`storage_conformance!`](crate::storage_conformance), which makes one named test a case:
//!
//! ```
//! use jobs_runtime::{
//!     clock::Clock,
//!     storage::{
//!         conformance::{Backend, Handles},
//!         memory::MemoryOptions,
//!     },
//! };
//!
//! struct MyBackend;
//!
//! impl Backend for MyBackend {
//!     async fn open(&self, clock: Clock) -> Handles {
//!         let storage = MemoryOptions::new().clock(clock).open();
//!         Handles { other: storage.clone(), storage, keep: Box::new(()) }
//!     }
//! }
//!
//! mod my_storage {
//!     jobs_runtime::storage_conformance!(crate::MyBackend);
//! }
//! # fn main() {}
//! ```

pub mod change;
pub mod claim;
pub mod continuation;
pub mod enqueue;
pub mod expire;
pub mod finish;
mod fixture;
pub mod lock;
pub mod monitor;
pub mod parameters;
pub mod promote;
pub mod rescue;
pub mod schedule;
pub mod signal;

pub use self::fixture::{Backend, Fixture, Handles, run};

/// Makes one test of each case of the suite for a backend: an expression that implements
/// [`Backend`](crate::storage::conformance::Backend).
#[macro_export]
macro_rules! storage_conformance {
    ($backend:expr) => {
        $crate::storage_conformance! {
            @cases $backend;
            enqueue {
                a_stored_job_reads_back_as_it_was_written,
                storing_a_job_again_changes_nothing,
                a_batch_is_stored_whole,
                a_batch_whose_parent_was_stored_before_releases_at_once,
                a_job_with_an_unknown_parent_is_refused_with_its_batch,
                nothing_is_no_work,
                odd_texts_survive,
                a_large_batch_is_stored,
            }
            claim {
                queues_come_in_the_order_given,
                higher_priority_comes_first_then_age,
                a_claim_takes_no_more_than_its_limit,
                other_queues_are_left_alone,
                a_job_is_claimed_once_by_many_claimers,
                age_is_the_order_of_storing_not_of_clocks,
                each_delivery_has_its_own_token,
            }
            finish {
                a_success_keeps_its_result,
                a_result_is_kept_to_the_letter,
                a_deeply_nested_result_hides_no_job,
                zero_characters_are_recorded,
                large_results_are_recorded_together,
                a_success_needs_no_written_history,
                a_late_outcome_is_refused,
                an_outcome_is_recorded_once,
                a_repeated_success_is_answered_as_stored,
                a_retry_keeps_queue_and_history,
                a_failure_is_kept_with_its_error,
                a_mixed_batch_is_answered_in_order,
                a_large_batch_is_recorded,
                a_job_given_back_has_spent_no_attempt,
                a_job_given_back_keeps_its_place,
            }
            change {
                a_waiting_job_is_deleted,
                a_running_job_is_deleted_and_its_outcome_refused,
                a_finished_job_runs_again_after_a_requeue,
                an_unexpected_state_is_refused,
                a_state_that_needs_more_than_a_move_is_refused,
                an_unknown_job_is_not_found,
                a_job_is_rescheduled,
                every_allowed_move_by_hand_works,
            }
            promote {
                due_jobs_enter_their_queues_in_the_order_of_their_time,
                jobs_that_are_not_due_stay,
                the_next_due_time_is_told,
                ten_thousand_due_jobs_are_promoted_in_bounded_batches,
            }
            continuation {
                a_continuation_waits_and_follows,
                a_parent_that_succeeded_before_releases_at_once,
                a_deleted_parent_deletes_what_awaits_it,
                deletion_goes_down_the_whole_line,
                a_failed_parent_releases_nothing_until_it_succeeds,
                many_continuations_follow_at_once,
                a_parent_and_its_continuation_are_stored_together,
            }
            rescue {
                jobs_of_a_live_server_are_left_alone,
                jobs_of_a_dead_server_go_back_and_cost_an_attempt,
                a_job_that_kills_its_servers_ends_in_failed,
                a_job_that_only_waited_in_a_dead_server_does_not_fail,
                a_dead_servers_late_outcome_is_refused,
                jobs_of_a_server_nobody_knows_go_back,
                rescue_works_in_bounded_steps,
                a_heartbeat_tells_what_the_server_holds,
                a_job_may_run_for_days,
            }
            schedule {
                a_schedule_reads_back_as_it_was_written,
                a_write_needs_the_version_that_was_found,
                a_schedule_that_is_added_again_has_another_version,
                a_mixed_batch_of_writes_is_answered_in_order,
                schedules_are_due_in_the_order_of_their_time,
                due_schedules_are_paged,
                schedules_are_listed_by_id,
                a_job_carries_its_schedule_and_slot,
                jobs_are_stored_with_their_schedule_or_not_at_all,
                a_slot_has_one_job,
                a_slot_is_free_again_when_its_job_has_expired,
                a_removal_stores_its_jobs_too,
                of_many_writers_one_makes_the_job,
            }
            expire {
                finished_jobs_expire_after_their_time,
                failed_jobs_stay,
                expiry_works_in_bounded_steps,
                a_requeued_job_does_not_expire,
                a_move_says_how_long_the_job_is_kept,
            }
            lock {
                a_lock_has_one_owner,
                a_lock_is_free_when_its_time_is_over,
                of_many_who_ask_one_gets_the_lock,
            }
            parameters {
                parameters_read_back_as_they_were_stored,
                a_move_can_change_the_parameters,
                only_the_delivery_that_runs_the_job_sets_parameters,
            }
            monitor {
                counts_follow_the_states,
                a_page_leads_to_the_next,
                every_state_pages_without_gap_or_repeat,
                filters_narrow_a_list,
                waiting_jobs_are_listed_in_the_order_of_claims,
                a_page_goes_on_when_its_jobs_have_moved,
                a_cursor_of_another_list_is_refused,
                a_foreign_cursor_is_refused,
                queues_are_counted,
                servers_are_listed_until_they_retire,
                statistics_count_outcomes_by_hour_and_day,
                statistics_follow_the_storages_clock,
                the_states_of_many_jobs_are_told_at_once,
                a_missing_job_is_none,
                history_tells_the_whole_story,
            }
            signal {
                enqueueing_wakes_who_waits_for_work,
                another_handle_wakes_too,
                scheduling_wakes_the_scheduler,
                an_outcome_wakes_who_waits_for_it,
                changing_a_schedule_wakes_who_follows_them,
                what_does_not_concern_a_waiter_does_not_wake_it,
                revoked_claims_are_told,
            }
        }
    };
    (@cases $backend:expr; $($topic:ident { $($case:ident),* $(,)? })*) => {
        $(
            mod $topic {
                use super::*;
                $(
                    #[test]
                    fn $case() {
                        $crate::storage::conformance::run(&$backend, $crate::storage::conformance::$topic::$case);
                    }
                )*
            }
        )*
    };
}

#[cfg(test)]
mod tests {
    /// A case that is written but not listed would never run.
    #[test]
    fn every_case_is_listed() {
        let topics = [
            ("change", include_str!("change.rs")),
            ("claim", include_str!("claim.rs")),
            ("continuation", include_str!("continuation.rs")),
            ("enqueue", include_str!("enqueue.rs")),
            ("expire", include_str!("expire.rs")),
            ("finish", include_str!("finish.rs")),
            ("monitor", include_str!("monitor.rs")),
            ("promote", include_str!("promote.rs")),
            ("rescue", include_str!("rescue.rs")),
            ("schedule", include_str!("schedule.rs")),
            ("signal", include_str!("signal.rs")),
        ];
        let listed = include_str!("mod.rs");
        for (topic, source) in topics {
            let start = listed.find(&format!("            {topic} {{")).expect("the topic is listed");
            let list = listed[start..].split('}').next().expect("a list");
            for case in source.lines().filter_map(|line| line.strip_prefix("pub async fn ")) {
                let case = case.split('(').next().expect("a name");
                assert!(list.contains(&format!(" {case},")), "{topic}::{case} is not listed");
            }
        }
    }
}
