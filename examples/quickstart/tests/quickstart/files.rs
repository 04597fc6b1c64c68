use jobs_runtime::{state::StateName, storage::JobFilter};
use serde_json::json;

use crate::{
    place::{Place, READ_FILE, details},
    runs::numbers,
};

#[tokio::test]
async fn the_results_of_known_files_are_right() {
    let place = Place::new();
    place.write("abc", "abc");
    place.write("empty", "");
    place.write("poem.txt", "roses are red\nviolets are blue\n");
    place.write("copy/of/abc", "abc");
    let ran = place.run(&[]);
    assert_eq!(ran.done(), "done: 7 succeeded, 0 failed, 0 deleted");
    let expected = [("files", "4"), ("bytes", "37"), ("lines", "2"), ("words", "8"), ("largest", "31")];
    for (title, number) in expected {
        assert_eq!(numbers(&ran, title), number, "{title}");
    }
    assert!(ran.stdout.contains("1 are copies of others"), "{ran:#?}");
    let abc = json!({ "bytes": 3, "lines": 0, "words": 1,
        "sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" });
    assert_eq!(result(&place, "files/abc\"").await, abc);
    let empty = json!({ "bytes": 0, "lines": 0, "words": 0,
        "sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" });
    assert_eq!(result(&place, "files/empty\"").await, empty);
}

/// The stored result of the job whose path ends so.
async fn result(place: &Place, path: &str) -> serde_json::Value {
    let storage = place.storage().await;
    let jobs = details(&*storage, JobFilter::state(StateName::Succeeded).name(READ_FILE)).await;
    let job = jobs.iter().find(|job| job.job.arguments.contains(path)).expect("a job for the file");
    job.history.last().expect("a history").data["result"].clone()
}

#[cfg(unix)]
#[test]
fn neither_names_nor_contents_need_be_utf_8() {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt};

    let place = Place::new();
    place.write(OsStr::from_bytes(b"caf\xe9.txt"), b"\xff\xfe\n\x80 x");
    place.write("ä \"quoted\" 'name'\n.txt", "x");
    let ran = place.run(&[]);
    assert_eq!(ran.done(), "done: 5 succeeded, 0 failed, 0 deleted");
    assert_eq!(numbers(&ran, "words"), "4");
}

#[cfg(unix)]
#[test]
fn a_file_that_may_not_be_read_fails_and_the_others_do_not() {
    use std::os::unix::fs::PermissionsExt;

    let place = Place::with_files(3);
    place.write("secret", "x");
    let secret = place.folder().join("secret");
    std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o000)).expect("permissions");
    // The super-user may read everything.
    let refused = usize::from(std::fs::File::open(&secret).is_err());
    let ran = place.run(&[]);
    assert_eq!(ran.done(), format!("done: {} succeeded, {refused} failed, 0 deleted", 7 - refused));
    assert_eq!(ran.stdout.contains("failed: can't read"), refused == 1, "{ran:#?}");
}

#[cfg(unix)]
#[test]
fn pipes_and_links_are_not_files() {
    let place = Place::with_files(1);
    std::os::unix::fs::symlink("00000.txt", place.folder().join("link")).expect("a link");
    let made = std::process::Command::new("mkfifo").arg(place.folder().join("pipe")).status();
    assert!(made.expect("`mkfifo` starts").success());
    assert_eq!(place.run(&[]).done(), "done: 4 succeeded, 0 failed, 0 deleted");
}
