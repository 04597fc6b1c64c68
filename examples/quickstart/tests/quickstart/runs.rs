use crate::place::{Place, Ran, program};

#[test]
fn every_job_of_a_run_is_counted() {
    let place = Place::with_files(7);
    let ran = place.run(&[]);
    assert_eq!(ran.done(), "done: 10 succeeded, 0 failed, 0 deleted");
    assert!(ran.stdout.contains("new run over") && ran.stdout.contains("10 jobs are stored"), "{ran:#?}");
    assert!(ran.stdout.contains("the job that stumbles succeeded at attempt 3"), "{ran:#?}");
    assert!(ran.stdout.contains("the delayed job ran"), "{ran:#?}");
}

#[test]
fn a_finished_run_is_followed_by_a_new_one_with_numbers_of_its_own() {
    let place = Place::with_files(2);
    assert_eq!(place.run(&[]).done(), "done: 5 succeeded, 0 failed, 0 deleted");
    place.write("third.txt", "");
    let second = place.run(&[]);
    assert_eq!(second.done(), "done: 6 succeeded, 0 failed, 0 deleted");
    assert!(second.stdout.contains("new run"), "{second:#?}");
}

#[test]
fn an_empty_folder_makes_a_run_without_files() {
    let place = Place::new();
    let ran = place.run(&[]);
    assert_eq!(ran.done(), "done: 3 succeeded, 0 failed, 0 deleted");
    assert_eq!(numbers(&ran, "files"), "0");
}

#[test]
fn databases_build_products_and_hidden_folders_are_left_out() {
    let place = Place::with_files(1);
    for name in ["target/x", ".git/x", "sub/.hidden/x", "old.db", "old.db-wal", "own", "own-wal"] {
        place.write(name, "x");
    }
    for name in ["sub/x", ".profile", "targets/x", "x.dbx"] {
        place.write(name, "x");
    }
    std::fs::remove_file(place.folder().join("own")).expect("removed");
    let ran = Ran::of(&mut program(&place.folder(), &place.folder().join("own")));
    assert_eq!(ran.done(), "done: 8 succeeded, 0 failed, 0 deleted");
}

#[test]
fn without_a_folder_it_reads_the_sources_of_the_project() {
    let place = Place::new();
    let program = std::process::Command::new(env!("CARGO_BIN_EXE_quickstart"))
        .current_dir(place.root())
        .output()
        .expect("the program starts");
    let ran = Ran::from(program);
    assert!(ran.done().ends_with(" succeeded, 0 failed, 0 deleted"), "{ran:#?}");
    assert!(place.root().join("quickstart.db").is_file());
}

/// What the summary says of `title`.
pub(crate) fn numbers<'a>(ran: &'a Ran, title: &str) -> &'a str {
    let words = |line: &'a str| line.split_whitespace().collect::<Vec<_>>();
    let line = ran.stdout.lines().map(words).find(|words| words.first() == Some(&title));
    line.and_then(|words| words.get(1).copied()).unwrap_or_else(|| panic!("no {title}: {ran:#?}"))
}
