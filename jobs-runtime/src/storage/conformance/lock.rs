//! Locks that programs hold.

use futures_util::future::join_all;

use super::fixture::{Fixture, SECOND};
use crate::storage::LockRequest;

async fn lock(f: &Fixture, name: &str, owner: &str) -> bool {
    let request = LockRequest { name: name.to_owned(), owner: owner.to_owned(), lease: SECOND * 30 };
    f.storage.lock(request).await.expect("asked")
}

async fn unlock(f: &Fixture, name: &str, owner: &str) -> bool {
    f.other.unlock(name, owner).await.expect("asked")
}

/// Until it is let go, by its owner and nobody else; names differ by every letter.
pub async fn a_lock_has_one_owner(f: Fixture) {
    assert!(lock(&f, "import", "a").await);
    assert!(lock(&f, "import", "a").await, "it is asked again, perhaps after a lost reply");
    assert!(!lock(&f, "import", "b").await);
    assert!(
        lock(&f, "Import", "b").await && lock(&f, "imp\u{f6}rt", "b").await && lock(&f, "import\u{308}", "b").await
    );
    assert!(!unlock(&f, "import", "b").await);
    assert!(unlock(&f, "import", "a").await);
    assert!(!unlock(&f, "import", "a").await);
    assert!(lock(&f, "import", "b").await);
}

/// For as long as it was asked for, counted from the last time.
pub async fn a_lock_is_free_when_its_time_is_over(f: Fixture) {
    assert!(lock(&f, "import", "a").await);
    f.clock.advance(SECOND * 20);
    assert!(lock(&f, "import", "a").await);
    f.clock.advance(SECOND * 29);
    assert!(!lock(&f, "import", "b").await);
    f.clock.advance(SECOND);
    assert!(lock(&f, "import", "b").await);
    assert!(!lock(&f, "import", "a").await, "it is another one's now");
    assert!(!unlock(&f, "import", "a").await);
    f.clock.advance(SECOND * 31);
    assert!(lock(&f, "other", "c").await);
    assert!(!unlock(&f, "import", "b").await, "what nobody holds is forgotten");
}

/// Through two handles at the same moment, with and without one who had it before.
pub async fn of_many_who_ask_one_gets_the_lock(f: Fixture) {
    for round in 0..5 {
        let owners: Vec<String> = (0..16).map(|n| format!("{round}-{n}")).collect();
        let asked = join_all(owners.iter().enumerate().map(|(n, owner)| {
            let storage = if n % 2 == 0 { &f.storage } else { &f.other };
            storage.lock(LockRequest { name: "import".to_owned(), owner: owner.clone(), lease: SECOND })
        }));
        let got = asked.await.into_iter().filter(|got| *got.as_ref().expect("asked")).count();
        assert_eq!(got, 1);
        f.clock.advance(SECOND);
    }
}
