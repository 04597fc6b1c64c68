//! What is MySQL's own: its URLs.

use super::opening::open_error;

#[tokio::test]
async fn what_cannot_be_opened_is_told_with_the_reason_and_without_the_password() {
    for (url, part) in [
        ("mysql://ada:secret@127.0.0.1:1/db", "can't be reached"),
        ("mysql://127.0.0.1/db?table_prefix=no-prefix", "can't be the prefix of tables"),
        ("mysql://127.0.0.1/db?max_connections=1", "from 2 to 1000"),
        ("mysql://127.0.0.1/db?queue_poll_interval=soon", "with its unit"),
        ("mysql://127.0.0.1/db?prepare_schema=maybe", "must be `true` or `false`"),
        ("mysql://127.0.0.1:port/db", "invalid port"),
    ] {
        let error = open_error(url).await;
        assert!(error.contains(part) && !error.contains("secret"), "{url}: {error}");
    }
}
