//! Reading.

use super::fixture::{Fixture, HOUR, SECOND, queue, server};
use crate::{
    job::{JobId, JobName},
    state::StateName,
    storage::{JobFilter, NewJob, PageRequest, Period, StorageError},
};

/// Each job is in one state, and in no other.
pub async fn counts_follow_the_states(f: Fixture) {
    f.succeed_one("a").await;
    f.fail_one("b").await;
    let gone = f.enqueue("c").await;
    f.delete(gone).await;
    f.enqueue("d").await;
    f.claim().await;
    let parent = f.schedule("e", HOUR).await;
    f.continue_with(parent, "f").await;
    f.enqueue("g").await;
    let counts = f.other.counts().await.expect("counted");
    for state in StateName::ALL {
        assert_eq!((counts.of(state).value, counts.of(state).capped), (1, false), "{state}");
    }
    assert_eq!(counts.unfinished(), 4);
}

async fn pages(f: &Fixture, filter: &JobFilter, limit: usize) -> Vec<JobId> {
    let (mut ids, mut page) = (Vec::new(), PageRequest::first(limit));
    loop {
        let found = f.storage.jobs(filter, &page).await.expect("read");
        assert!(found.jobs.len() <= limit);
        ids.extend(found.jobs.iter().map(|job| job.id));
        match found.next {
            Some(next) => page = PageRequest::after(limit, next),
            None => return ids,
        }
    }
}

/// Newest first; jobs that come meanwhile don't shift the pages.
pub async fn a_page_leads_to_the_next(f: Fixture) {
    let mut ids = f.enqueue_many(7).await;
    ids.reverse();
    let first = f.storage.jobs(&JobFilter::all(), &PageRequest::first(3)).await.expect("read");
    assert_eq!(first.jobs.iter().map(|job| job.id).collect::<Vec<_>>(), ids[..3]);
    f.enqueue_many(5).await;
    let next = PageRequest::after(10, first.next.expect("a next page"));
    let second = f.storage.jobs(&JobFilter::all(), &next).await.expect("read");
    assert_eq!(second.jobs.iter().map(|job| job.id).collect::<Vec<_>>(), ids[3..]);
    assert_eq!(second.next, None);
}

/// Also where many jobs have the same time.
pub async fn every_state_pages_without_gap_or_repeat(f: Fixture) {
    let parent = f.schedule("parent", HOUR * 9).await;
    for n in 0..7 {
        f.succeed_one("a").await;
        f.fail_one("b").await;
        let gone = f.enqueue("c").await;
        f.delete(gone).await;
        f.enqueue("d").await;
        f.claim().await;
        f.schedule("e", HOUR).await;
        f.continue_with(parent, "f").await;
        if n == 3 {
            f.clock.advance(SECOND);
        }
    }
    f.enqueue_many(7).await;
    for state in StateName::ALL {
        let expected = if state == StateName::Scheduled { 8 } else { 7 };
        for limit in [1, 2, 3, 7, 100] {
            let mut ids = pages(&f, &JobFilter::state(state), limit).await;
            assert_eq!(ids.len(), expected, "{state} by {limit}");
            ids.sort();
            ids.dedup();
            assert_eq!(ids.len(), expected, "{state} by {limit} repeats");
        }
    }
    assert_eq!(pages(&f, &JobFilter::all(), 4).await.len(), 50);
}

/// By state, queue, name and time of creation.
pub async fn filters_narrow_a_list(f: Fixture) {
    let start = f.clock.now();
    let mail = f.store(NewJob { queue: queue("mail"), ..f.job("send") }).await;
    let done = f.succeed_one("send").await;
    f.clock.advance(HOUR);
    let other = f.enqueue("receive").await;
    let list = async |filter: JobFilter| pages(&f, &filter, 10).await;
    assert_eq!(list(JobFilter::all().queue(queue("mail"))).await, [mail]);
    assert_eq!(list(JobFilter::all().name(JobName::new("suite", "send"))).await, [done, mail]);
    assert_eq!(list(JobFilter::state(StateName::Succeeded).name(JobName::new("suite", "send"))).await, [done]);
    assert_eq!(list(JobFilter::state(StateName::Enqueued).queue(queue("default"))).await, [other]);
    assert_eq!(list(JobFilter::all().created(start, start + HOUR)).await, [done, mail]);
    assert_eq!(list(JobFilter::all().created(start + HOUR, start + HOUR * 2)).await, [other]);
    assert!(list(JobFilter::all().name(JobName::new("suite", "nothing"))).await.is_empty());
}

/// So that the list says who is next.
pub async fn waiting_jobs_are_listed_in_the_order_of_claims(f: Fixture) {
    for (method, priority) in [("old", 0), ("low", -1), ("high", 1), ("young", 0)] {
        f.store(NewJob { priority, ..f.job(method) }).await;
    }
    let listed = pages(&f, &JobFilter::state(StateName::Enqueued), 3).await;
    let claimed: Vec<JobId> = f.claim_from(&["default"], 10).await.iter().map(|job| job.id).collect();
    assert_eq!(listed, claimed);
    let soon = f.schedule("soon", SECOND).await;
    let later = f.schedule("later", HOUR).await;
    assert_eq!(pages(&f, &JobFilter::state(StateName::Scheduled), 1).await, [soon, later]);
}

/// Though the job with which the first page ended is elsewhere by then.
pub async fn a_page_goes_on_when_its_jobs_have_moved(f: Fixture) {
    let ids = f.enqueue_many(6).await;
    let waiting = JobFilter::state(StateName::Enqueued);
    let first = f.storage.jobs(&waiting, &PageRequest::first(2)).await.expect("read");
    f.claim_from(&["default"], 3).await;
    let next = PageRequest::after(10, first.next.expect("a next page"));
    let second = f.storage.jobs(&waiting, &next).await.expect("read");
    assert_eq!(second.jobs.iter().map(|job| job.id).collect::<Vec<_>>(), ids[3..]);
    let running = JobFilter::state(StateName::Processing);
    let first = f.storage.jobs(&running, &PageRequest::first(1)).await.expect("read");
    f.delete(first.jobs[0].id).await;
    let next = PageRequest::after(10, first.next.expect("a next page"));
    assert_eq!(f.storage.jobs(&running, &next).await.expect("read").jobs.len(), 2);
}

/// Instead of a page that begins anywhere.
pub async fn a_cursor_of_another_list_is_refused(f: Fixture) {
    f.enqueue_many(3).await;
    f.schedule("a", HOUR).await;
    f.schedule("b", HOUR).await;
    let (waiting, scheduled) = (JobFilter::state(StateName::Enqueued), JobFilter::state(StateName::Scheduled));
    let lists = [JobFilter::all(), waiting, scheduled];
    for list in &lists {
        let cursor = f.storage.jobs(list, &PageRequest::first(1)).await.expect("read").next.expect("a next page");
        for other in lists.iter().filter(|other| *other != list) {
            let page = PageRequest::after(1, cursor.clone());
            let error = f.storage.jobs(other, &page).await.expect_err("another list");
            assert!(matches!(error, StorageError::InvalidCursor(_)), "{error}");
        }
    }
}

/// It comes from a URL, so anything may come.
pub async fn a_foreign_cursor_is_refused(f: Fixture) {
    for cursor in ["", "oops", "{}", "[1"] {
        let error = f.storage.jobs(&JobFilter::all(), &PageRequest::after(5, cursor)).await.expect_err(cursor);
        assert!(matches!(error, StorageError::InvalidCursor(_)), "{error}");
        assert!(error.to_string().contains(&format!("`{cursor}`")), "{error}");
    }
}

/// Those that have jobs, by name.
pub async fn queues_are_counted(f: Fixture) {
    for name in ["mail", "bulk", "mail"] {
        f.store(NewJob { queue: queue(name), ..f.job("x") }).await;
    }
    let queues = f.storage.queues().await.expect("read");
    let counted: Vec<(&str, u64)> = queues.iter().map(|queue| (queue.name.as_str(), queue.enqueued.value)).collect();
    assert_eq!(counted, [("bulk", 1), ("mail", 2)]);
}

/// With what they said of themselves, and how much they hold.
pub async fn servers_are_listed_until_they_retire(f: Fixture) {
    let record = f.record("worker");
    f.storage.heartbeat(&record).await.expect("beaten");
    f.enqueue_many(2).await;
    f.claim_from(&["default"], 2).await;
    f.clock.advance(SECOND * 3);
    f.storage.heartbeat(&record).await.expect("beaten");
    let servers = f.other.servers().await.expect("read");
    assert_eq!(servers.len(), 1);
    assert_eq!(servers[0].server, record);
    assert_eq!((servers[0].heartbeat_at, servers[0].processing.value), (f.clock.now(), 2));
    f.storage.retire(&server("worker")).await.expect("retired");
    assert!(f.other.servers().await.expect("read").is_empty());
}

/// Kept with each outcome, and not counted from the jobs.
pub async fn statistics_count_outcomes_by_hour_and_day(f: Fixture) {
    let start = f.clock.now();
    f.succeed_one("a").await;
    f.succeed_one("a").await;
    f.clock.advance(HOUR * 2);
    f.fail_one("b").await;
    f.clock.advance(HOUR * 24);
    let gone = f.enqueue("c").await;
    f.delete(gone).await;
    let end = start + HOUR * 48;
    let numbers = |spans: Vec<crate::storage::Statistics>| -> Vec<(u64, u64, u64, u64)> {
        let since = |at: crate::clock::Timestamp| u64::try_from((at - start).num_hours()).expect("later");
        spans.iter().map(|span| (since(span.from), span.succeeded, span.failed, span.deleted)).collect()
    };
    let hours = f.storage.statistics(Period::Hour, start, end).await.expect("read");
    assert_eq!(numbers(hours), [(0, 2, 0, 0), (2, 0, 1, 0), (26, 0, 0, 1)]);
    let days = f.storage.statistics(Period::Day, start, end).await.expect("read");
    assert_eq!(numbers(days), [(0, 2, 1, 0), (24, 0, 0, 1)]);
    assert!(f.storage.statistics(Period::Day, end, start).await.expect("read").is_empty(), "the wrong way round");
    let later = f.storage.statistics(Period::Hour, start + HOUR, start + HOUR * 26).await.expect("read");
    assert_eq!(numbers(later), [(2, 0, 1, 0)]);
    let total = f.storage.totals().await.expect("read");
    assert_eq!((total.from, total.succeeded, total.failed, total.deleted), (start, 2, 1, 1));
}

/// An outcome may be told late, or by a server whose clock is wrong.
pub async fn statistics_follow_the_storages_clock(f: Fixture) {
    let start = f.clock.now();
    for id in f.enqueue_many(2).await {
        let job = f.claim().await;
        assert_eq!(job.id, id);
        let late = if f.clock.now() == start { f.success() } else { f.failure() };
        f.clock.advance(HOUR * 3);
        f.finish(&job, late).await;
    }
    let hours = f.storage.statistics(Period::Hour, start, start + HOUR * 24).await.expect("read");
    let numbers: Vec<_> = hours.iter().map(|span| (span.from, span.succeeded, span.failed)).collect();
    assert_eq!(numbers, [(start + HOUR * 3, 1, 0), (start + HOUR * 6, 0, 1)]);
}

/// As the details of each say, in one call; what isn't there is left out.
pub async fn the_states_of_many_jobs_are_told_at_once(f: Fixture) {
    let mut ids = vec![f.succeed_one("a").await, f.fail_one("b").await, f.enqueue("c").await];
    f.claim().await;
    let gone = f.enqueue("d").await;
    f.delete(gone).await;
    let parent = f.schedule("e", HOUR).await;
    ids.extend([gone, parent, f.continue_with(parent, "f").await, f.enqueue("g").await]);
    let missing = JobId::generate(f.clock.now());
    for storage in [&f.storage, &f.other] {
        let mut found = storage.states(&[&ids[..], &[missing]].concat()).await.expect("read");
        found.sort_by_key(|(id, _)| ids.iter().position(|known| known == id));
        assert_eq!(found.iter().map(|(id, _)| *id).collect::<Vec<_>>(), ids);
        use StateName::{Awaiting, Deleted, Enqueued, Failed, Processing, Scheduled, Succeeded};
        let expected = [Succeeded, Failed, Processing, Deleted, Scheduled, Awaiting, Enqueued];
        assert_eq!(found.iter().map(|(_, state)| *state).collect::<Vec<_>>(), expected);
    }
    assert!(f.storage.states(&[]).await.expect("read").is_empty());
    assert!(f.storage.states(&[missing]).await.expect("read").is_empty());
    let many = f.enqueue_many(5_000).await;
    assert_eq!(f.storage.states(&many).await.expect("read").len(), 5_000);
}

/// Not an error.
pub async fn a_missing_job_is_none(f: Fixture) {
    assert_eq!(f.storage.job(JobId::generate(f.clock.now())).await.expect("read"), None);
}

/// Each state with its time, reason and data, in order.
pub async fn history_tells_the_whole_story(f: Fixture) {
    let id = f.schedule("story", HOUR).await;
    let due = f.clock.now() + HOUR;
    f.clock.advance(HOUR);
    f.storage.promote(1).await.expect("promoted");
    let job = f.claim().await;
    f.clock.advance(SECOND);
    f.finish(&job, f.retry(SECOND)).await;
    f.clock.advance(SECOND);
    f.storage.promote(1).await.expect("promoted");
    let job = f.claim().await;
    f.clock.advance(SECOND);
    f.finish(&job, f.success()).await;
    let details = f.details(id).await;
    let states: Vec<(StateName, i64)> =
        details.history.iter().map(|entry| (entry.state, (entry.at - due).num_seconds())).collect();
    use StateName::{Enqueued, Failed, Processing, Scheduled, Succeeded};
    let expected = [
        (Scheduled, -3600),
        (Enqueued, 0),
        (Processing, 0),
        (Failed, 1),
        (Scheduled, 1),
        (Enqueued, 2),
        (Processing, 2),
        (Succeeded, 3),
    ];
    assert_eq!(states, expected);
    assert_eq!(details.history[6].data["attempt"], 2);
    assert_eq!((details.job.attempts, details.job.state_at), (2, f.clock.now()));
}
