//! Every storage passes the same suite.

mod memory {
    jobs_runtime::storage_conformance!(jobs_tests::Memory);
}

mod sqlite {
    jobs_runtime::storage_conformance!(jobs_tests::Sqlite);
}

mod postgres {
    jobs_runtime::storage_conformance!(jobs_tests::Postgres);
}

mod pgbouncer {
    jobs_runtime::storage_conformance!(jobs_tests::PgBouncer);
}

mod mysql {
    jobs_runtime::storage_conformance!(jobs_tests::MySql);
}
