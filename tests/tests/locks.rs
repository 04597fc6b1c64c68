//! Locks that programs hold.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use jobs_runtime::{client::LockError, prelude::*};
use jobs_tests::on_each_storage;

const TEN_SECONDS: Duration = Duration::from_secs(10);

on_each_storage! {
    async fn a_lock_is_waited_for_until_it_is_let_go(world: World) {
        let lock = world.client.lock("import", Duration::ZERO).await.expect("free");
        let other = Client::new(world.other.clone());
        let error = other.lock("import", Duration::from_millis(30)).await.expect_err("taken");
        assert_eq!(error.to_string(), "lock `import` was held by another one for all of 30ms");
        let waiting = tokio::spawn(async move { other.lock("import", TEN_SECONDS).await });
        assert!(lock.release().await.expect("released"));
        let theirs = waiting.await.expect("no panic").expect("free");
        assert!(world.client.lock("import", Duration::ZERO).await.is_err());
        drop(theirs);
        world.client.lock("import", TEN_SECONDS).await.expect("a lock that is dropped is let go").release().await
            .expect("released");
    }

    async fn of_many_tasks_one_at_a_time_holds_a_lock(world: World) {
        let (inside, done) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
        let tasks = (0..8).map(|n| {
            let client = Client::new(if n % 2 == 0 { world.storage.clone() } else { world.other.clone() });
            let (inside, done) = (Arc::clone(&inside), Arc::clone(&done));
            tokio::spawn(async move {
                let lock = client.lock("till", Duration::from_secs(60)).await.expect("free at last");
                assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                tokio::time::sleep(Duration::from_millis(2)).await;
                inside.fetch_sub(1, Ordering::SeqCst);
                done.fetch_add(1, Ordering::SeqCst);
                lock.release().await.expect("released");
            })
        });
        for task in tasks.collect::<Vec<_>>() {
            task.await.expect("no panic");
        }
        assert_eq!(done.load(Ordering::SeqCst), 8);
    }

    /// By the storage's clock; so it would be when a process died.
    async fn a_lock_whose_holder_is_not_heard_of_is_free_and_was_lost(world: World) {
        let lock = world.client.lock("import", Duration::ZERO).await.expect("free");
        world.clock.advance(Duration::from_secs(30));
        let theirs = world.client.lock("import", Duration::ZERO).await.expect("free");
        assert!(!lock.release().await.expect("asked"), "it is another one's");
        assert!(world.client.lock("import", Duration::ZERO).await.is_err(), "which has it still");
        assert!(theirs.release().await.expect("released"));
    }

    async fn what_can_not_be_a_name_is_told(world: World) {
        for name in ["", " import", "a\nb", &"x".repeat(201)] {
            let error = world.client.lock(name, TEN_SECONDS).await.expect_err("no name");
            assert!(matches!(error, LockError::InvalidName { .. }), "{error}");
        }
        world.client.lock("x".repeat(200), TEN_SECONDS).await.expect("a name").release().await.expect("released");
    }
}

/// Code that hogs the only thread of its runtime, as a handler of a CPU-bound job may.
#[tokio::test]
async fn a_lock_is_held_for_as_long_as_its_holder_lives_whatever_it_does() {
    let (_folder, file) = jobs_tests::temporary_file();
    let storage = jobs_runtime::storage::sqlite::SqliteOptions::new(&file).open().await.expect("a new file");
    let client = Client::new(storage).with_lock_lease(Duration::from_millis(600));
    let lock = client.lock("import", Duration::ZERO).await.expect("free");
    for _ in 0..3 {
        std::thread::sleep(Duration::from_millis(800));
        assert!(client.lock("import", Duration::ZERO).await.is_err(), "it is renewed");
    }
    assert!(!lock.lost().is_cancelled());
    assert!(lock.release().await.expect("released"));
}

/// As if its process had slept.
#[tokio::test]
async fn who_has_lost_a_lock_is_told_and_does_not_let_go_what_is_another_ones() {
    let clock = jobs_runtime::testing::TestClock::new();
    let storage = jobs_runtime::storage::memory::MemoryOptions::new().clock(clock.clock()).open();
    let client = Client::new(storage).with_lock_lease(Duration::from_millis(300));
    let lock = client.lock("import", Duration::ZERO).await.expect("free");
    clock.advance(Duration::from_secs(60));
    let theirs = client.lock("import", Duration::ZERO).await.expect("free");
    tokio::time::timeout(TEN_SECONDS, lock.lost().cancelled()).await.expect("told");
    drop(lock);
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(theirs.release().await.expect("released"), "it was not theirs to let go");
}
