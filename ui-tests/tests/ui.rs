//! Every file in `pass/` compiles and runs; every file in `fail/` fails with the messages beside it.
//!
//! `TRYBUILD=overwrite cargo test -p ui-tests` writes the messages anew; read the difference before committing it.

#[test]
fn the_macros_say_what_they_should() {
    let cases = trybuild::TestCases::new();
    cases.pass("pass/*.rs");
    cases.compile_fail("fail/*/*.rs");
}
