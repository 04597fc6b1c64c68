use crate::place::{Place, Ran, program};

fn refused(ran: &Ran, message: &str) {
    assert_eq!(ran.code, Some(1), "{ran:#?}");
    assert_eq!(ran.stdout, "");
    assert!(ran.stderr.starts_with("error: ") && ran.stderr.contains(message), "{ran:#?}");
}

#[test]
fn a_folder_that_is_not_there_is_named_and_no_database_made() {
    let place = Place::new();
    let ran = Ran::of(&mut program(&place.root().join("nowhere"), &place.database()));
    refused(&ran, "nowhere`");
    assert!(!place.database().exists());
}

#[test]
fn a_file_is_not_a_folder() {
    let place = Place::with_files(1);
    let ran = Ran::of(&mut program(&place.folder().join("00000.txt"), &place.database()));
    refused(&ran, "00000.txt` is not a folder");
}

#[test]
fn a_database_that_cannot_be_made_is_named() {
    let place = Place::new();
    let ran = Ran::of(&mut program(&place.folder(), &place.root().join("no/such/test.db")));
    refused(&ran, "no/such` does not exist");
}

#[test]
fn a_file_that_is_no_database_is_left_as_it_is() {
    let place = Place::new();
    let text = "this is not a database, and it is longer than the header of one would be. ".repeat(20);
    std::fs::write(place.database(), &text).expect("a file");
    refused(&place.run(&[]), "is not a SQLite database");
    assert_eq!(std::fs::read_to_string(place.database()).expect("the file"), text);
}

#[test]
fn a_number_that_is_none_is_a_mistake_in_the_command() {
    let ran = Place::new().run(&["--slow", "fast"]);
    assert_eq!(ran.code, Some(2), "{ran:#?}");
    assert!(ran.stderr.contains("--slow"), "{ran:#?}");
}
