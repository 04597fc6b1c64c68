//! Schedules, and the jobs they make.

use std::sync::Arc;

use super::fixture::{Fixture, HOUR, SECOND};
use crate::{
    clock::Timestamp,
    job::Recurrence,
    schedule::ScheduleId,
    storage::{
        JobFilter, NewJob, PageRequest, Recorded, ScheduleContent, ScheduleWrite,
        ScheduleWritten::{self, Conflict, Stored},
        StoredSchedule,
    },
};

fn id(text: &'static str) -> ScheduleId {
    ScheduleId::new(text).expect("a schedule id")
}

fn content(definition: &str, next_run: Option<Timestamp>) -> ScheduleContent {
    ScheduleContent { next_run, definition: definition.to_owned(), progress: "{}".to_owned() }
}

fn write(name: &'static str, found: Option<i64>, next_run: Option<Timestamp>) -> ScheduleWrite {
    ScheduleWrite { id: id(name), found, content: Some(content("{}", next_run)), jobs: Vec::new() }
}

fn removal(name: &'static str, found: i64) -> ScheduleWrite {
    ScheduleWrite { id: id(name), found: Some(found), content: None, jobs: Vec::new() }
}

impl Fixture {
    async fn write(&self, write: ScheduleWrite) -> ScheduleWritten {
        self.storage.write_schedules(vec![write]).await.expect("written")[0]
    }

    /// Stores a schedule that wasn't there.
    async fn add(&self, name: &'static str, next_run: Option<Timestamp>) -> StoredSchedule {
        assert_eq!(self.write(write(name, None, next_run)).await, Stored);
        self.schedule_named(name).await.expect("a schedule")
    }

    async fn schedule_named(&self, name: &'static str) -> Option<StoredSchedule> {
        self.storage.schedule(&id(name)).await.expect("read")
    }

    async fn due(&self, limit: usize) -> Vec<String> {
        let due = self.storage.due_schedules(None, limit).await.expect("read").due;
        due.iter().map(|schedule| schedule.id.to_string()).collect()
    }

    /// A job of a schedule, not stored yet.
    fn made_by(&self, name: &'static str, slot: Option<Timestamp>) -> NewJob {
        NewJob { recurrence: Some(Recurrence { schedule: id(name), slot }), ..self.job(name) }
    }

    async fn jobs_of(&self, name: &'static str) -> usize {
        let filter = JobFilter::all().schedule(id(name));
        self.storage.jobs(&filter, &PageRequest::first(1_000)).await.expect("read").jobs.len()
    }
}

/// All of it, also what only a later version understands.
pub async fn a_schedule_reads_back_as_it_was_written(f: Fixture) {
    let next_run = f.clock.now() + HOUR + std::time::Duration::from_micros(1);
    let text = format!("'\"\\%_;-- ünïcødé 漢字 🦀 {}", "x".repeat(100_000));
    let content = ScheduleContent { next_run: Some(next_run), definition: text.clone(), progress: text.clone() };
    let write = ScheduleWrite { id: id("ünï 🦀"), found: None, content: Some(content), jobs: Vec::new() };
    assert_eq!(f.write(write).await, Stored);
    let read = f.schedule_named("ünï 🦀").await.expect("a schedule");
    assert_eq!(f.other.schedule(&read.id).await.expect("read").as_ref(), Some(&read));
    assert_eq!((read.id, read.next_run), (id("ünï 🦀"), Some(next_run)));
    assert_eq!((&read.definition, &read.progress), (&text, &text));
    assert_eq!(f.schedule_named("another").await, None);
}

/// Who writes has seen what is there; else it would undo what it never saw.
pub async fn a_write_needs_the_version_that_was_found(f: Fixture) {
    let old = f.add("a", None).await;
    assert_eq!(f.write(write("a", None, None)).await, Conflict, "it is there");
    assert_eq!(f.write(write("b", Some(old.version), None)).await, Conflict, "it is not there");
    assert_eq!(f.write(write("a", Some(old.version), None)).await, Stored);
    let new = f.schedule_named("a").await.expect("a schedule");
    assert_ne!(new.version, old.version);
    assert_eq!(f.write(write("a", Some(old.version), None)).await, Conflict, "it has changed");
    assert_eq!(f.write(removal("a", old.version)).await, Conflict, "it has changed");
    assert_eq!(f.schedule_named("a").await.as_ref(), Some(&new), "what is refused changes nothing");
    assert_eq!(f.write(removal("a", new.version)).await, Stored);
    assert_eq!(f.write(removal("a", new.version)).await, Conflict, "it is gone");
    assert_eq!(f.schedule_named("a").await, None);
}

/// So that who saw the first one can't take the second for it.
pub async fn a_schedule_that_is_added_again_has_another_version(f: Fixture) {
    let first = f.add("a", None).await;
    assert_eq!(f.write(removal("a", first.version)).await, Stored);
    let second = f.add("a", None).await;
    assert_ne!(first.version, second.version);
    assert_eq!(f.write(removal("a", first.version)).await, Conflict);
}

/// Each on its own condition.
pub async fn a_mixed_batch_of_writes_is_answered_in_order(f: Fixture) {
    let old = f.add("old", None).await;
    let batch = vec![
        write("new", None, None),
        write("old", Some(old.version + 1_000), None),
        write("new", None, None),
        removal("old", old.version),
    ];
    let answers = f.storage.write_schedules(batch).await.expect("written");
    assert_eq!(answers, [Stored, Conflict, Conflict, Stored]);
    assert_eq!(f.storage.write_schedules(Vec::new()).await.expect("nothing"), []);
}

/// The longest due first, and never one that isn't.
pub async fn schedules_are_due_in_the_order_of_their_time(f: Fixture) {
    let now = f.clock.now();
    f.add("late", Some(now + HOUR)).await;
    f.add("second", Some(now + SECOND)).await;
    f.add("first", Some(now)).await;
    f.add("never", None).await;
    assert_eq!(f.due(10).await, ["first"], "exactly now is due");
    assert_eq!(f.storage.due_schedules(None, 10).await.expect("read").next_due, Some(now + SECOND));
    f.clock.advance(SECOND);
    assert_eq!(f.due(10).await, ["first", "second"]);
    assert_eq!(f.storage.due_schedules(None, 10).await.expect("read").next_due, Some(now + HOUR));
    f.clock.advance(HOUR);
    assert_eq!(f.due(10).await, ["first", "second", "late"]);
    assert_eq!(f.storage.due_schedules(None, 10).await.expect("read").next_due, None);
}

/// Those that nobody can make anything of stay due; they don't hide the others (River #1318).
pub async fn due_schedules_are_paged(f: Fixture) {
    let now = f.clock.now();
    for name in ["b", "a", "d", "c"] {
        f.add(name, Some(now)).await;
    }
    assert_eq!(f.due(3).await, ["a", "b", "c"]);
    let rest = f.storage.due_schedules(Some((now, id("c"))), 3).await.expect("read");
    assert_eq!(rest.due.iter().map(|schedule| schedule.id.as_str()).collect::<Vec<_>>(), ["d"]);
    let none = f.storage.due_schedules(Some((now, id("d"))), 3).await.expect("read");
    assert!(none.due.is_empty());
}

/// A page leads to the next.
pub async fn schedules_are_listed_by_id(f: Fixture) {
    for name in ["b", "ä", "a", "B", "c"] {
        f.add(name, None).await;
    }
    let names = |page: Vec<StoredSchedule>| page.iter().map(|found| found.id.to_string()).collect::<Vec<_>>();
    assert_eq!(names(f.storage.schedules(None, 10).await.expect("read")), ["B", "a", "b", "c", "ä"]);
    assert_eq!(names(f.storage.schedules(None, 2).await.expect("read")), ["B", "a"]);
    assert_eq!(names(f.storage.schedules(Some(&id("a")), 2).await.expect("read")), ["b", "c"]);
    assert!(f.storage.schedules(Some(&id("ä")), 2).await.expect("read").is_empty());
}

/// Which a handler and a dashboard can read.
pub async fn a_job_carries_its_schedule_and_slot(f: Fixture) {
    let slot = f.clock.now() + std::time::Duration::from_micros(7);
    let jobs = vec![f.made_by("a", Some(slot)), f.made_by("a", None), f.job("plain")];
    f.storage.enqueue(jobs.clone()).await.expect("stored");
    let claimed = f.claim_from(&["default"], 10).await;
    for (job, claimed) in jobs.iter().zip(&claimed) {
        assert_eq!((claimed.id, &claimed.recurrence), (job.id, &job.recurrence));
        assert_eq!(f.details(job.id).await.job.recurrence, job.recurrence);
    }
    assert_eq!(f.jobs_of("a").await, 2);
    assert_eq!(f.jobs_of("b").await, 0);
}

/// All of a write or nothing of it.
pub async fn jobs_are_stored_with_their_schedule_or_not_at_all(f: Fixture) {
    let found = f.add("a", Some(f.clock.now())).await;
    let fire = |found: i64, slot: Timestamp| ScheduleWrite {
        jobs: vec![f.made_by("a", Some(slot))],
        ..write("a", Some(found), Some(slot + HOUR))
    };
    let now = f.clock.now();
    assert_eq!(f.write(fire(found.version, now)).await, Stored);
    assert_eq!(f.write(fire(found.version, now + SECOND)).await, Conflict);
    assert_eq!(f.jobs_of("a").await, 1);
    assert_eq!(f.schedule_named("a").await.expect("a schedule").next_run, Some(now + HOUR));
    assert_eq!(f.claim().await.recurrence, Some(Recurrence { schedule: id("a"), slot: Some(now) }));
    assert!(f.claim_from(&["default"], 10).await.is_empty());
}

/// Elsewhere (apalis-cron #281, Hangfire #1852) two nodes enqueued every tick twice.
pub async fn a_slot_has_one_job(f: Fixture) {
    let slot = f.clock.now();
    f.storage.enqueue(vec![f.made_by("a", Some(slot)), f.made_by("a", Some(slot))]).await.expect("stored");
    f.storage.enqueue(vec![f.made_by("a", Some(slot)), f.made_by("a", Some(slot + SECOND))]).await.expect("stored");
    let first = f.add("a", None).await;
    let again = ScheduleWrite { jobs: vec![f.made_by("a", Some(slot))], ..write("a", Some(first.version), None) };
    assert_eq!(f.write(again).await, Stored, "the write is, the job is not");
    f.storage.enqueue(vec![f.made_by("b", Some(slot)), f.made_by("a", None), f.made_by("a", None)]).await.expect("ok");
    assert_eq!((f.jobs_of("a").await, f.jobs_of("b").await), (4, 1));
    assert_eq!(f.claim_from(&["default"], 100).await.len(), 5);
}

/// Of what is gone nobody knows any more; and who keeps jobs for a short time does not keep their slots for ever.
pub async fn a_slot_is_free_again_when_its_job_has_expired(f: Fixture) {
    let slot = f.clock.now();
    f.storage.enqueue(vec![f.made_by("a", Some(slot))]).await.expect("stored");
    let job = f.claim().await;
    assert_eq!(f.finish(&job, f.success()).await, Recorded::Stored);
    f.storage.enqueue(vec![f.made_by("a", Some(slot))]).await.expect("left out");
    assert!(f.claim_from(&["default"], 10).await.is_empty(), "the slot's job has ended, but it is there");
    f.clock.advance(HOUR * 48);
    assert_eq!(f.storage.expire(10).await.expect("expired"), 1);
    f.storage.enqueue(vec![f.made_by("a", Some(slot))]).await.expect("stored");
    assert_eq!(f.claim_from(&["default"], 10).await.len(), 1);
}

/// The last ones of a schedule, or one that hands over to another.
pub async fn a_removal_stores_its_jobs_too(f: Fixture) {
    let (found, slot) = (f.add("a", None).await, f.clock.now());
    let write = ScheduleWrite { jobs: vec![f.made_by("a", Some(slot))], ..removal("a", found.version) };
    assert_eq!(f.write(write.clone()).await, Stored);
    assert_eq!((f.schedule_named("a").await, f.jobs_of("a").await), (None, 1));
    let again = ScheduleWrite { jobs: vec![f.made_by("a", None)], ..write };
    assert_eq!(f.write(again).await, Conflict, "it is gone");
    assert_eq!(f.jobs_of("a").await, 1);
}

/// However many servers find it due at once.
pub async fn of_many_writers_one_makes_the_job(f: Fixture) {
    for round in 0..20 {
        let now = f.clock.now();
        let version = match f.schedule_named("a").await {
            Some(found) => found.version,
            None => f.add("a", Some(now)).await.version,
        };
        let fires = (0..8).map(|number| {
            let storage = Arc::clone(if number % 2 == 0 { &f.storage } else { &f.other });
            let job = f.made_by("a", Some(now));
            let fire = ScheduleWrite { jobs: vec![job], ..write("a", Some(version), Some(now + SECOND)) };
            tokio::spawn(async move { storage.write_schedules(vec![fire]).await.expect("written")[0] })
        });
        let mut stored = 0;
        for fire in fires.collect::<Vec<_>>() {
            stored += usize::from(fire.await.expect("a task") == Stored);
        }
        assert_eq!((stored, f.jobs_of("a").await), (1, round + 1));
        f.clock.advance(SECOND);
    }
}
