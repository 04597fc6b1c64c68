//! What is PostgreSQL's own: its URLs.

use super::opening::open_error;

#[tokio::test]
async fn what_cannot_be_opened_is_told_with_the_reason_and_without_the_password() {
    for (url, part) in [
        ("postgres://ada:secret@127.0.0.1:1/db", "can't be reached"),
        ("postgres://127.0.0.1/db?schema=No-Schema", "can't be the name of the schema"),
        ("postgres://127.0.0.1/db?max_connections=1", "from 2 to 1000"),
        ("postgres://127.0.0.1/db?max_connections=many", "must be a number"),
        ("postgres://127.0.0.1/db?migrate=maybe", "must be `true` or `false`"),
        ("postgres://127.0.0.1:port/db", "invalid port"),
    ] {
        let error = open_error(url).await;
        assert!(error.contains(part) && !error.contains("secret"), "{url}: {error}");
    }
}
