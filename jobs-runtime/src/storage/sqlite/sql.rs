use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};

/// The statements of this storage: `{p}` in them stands for the table prefix, `{values}` for a list of rows.
///
/// The prefix is checked when the storage is opened, so nothing from outside gets into a statement's text.
#[derive(Debug)]
pub(super) struct Sql {
    prefix: String,
    statements: Mutex<HashMap<(&'static str, usize), Arc<str>>>,
}

/// Reads one parameter, many ids of sixteen bytes each, as the table `ids (i, job)`.
///
/// One parameter and one text for any number of ids keep the statement in the cache of prepared ones.
pub(super) const IDS: &str = "ids (i, job) AS (
    SELECT 0, substr(?1, 1, 16) WHERE length(?1) > 0
    UNION ALL
    SELECT i + 1, substr(?1, 16 * i + 17, 16) FROM ids WHERE 16 * (i + 1) < length(?1)
)";

impl Sql {
    pub(super) fn new(prefix: &str) -> Self {
        Self { prefix: prefix.to_owned(), statements: Mutex::default() }
    }

    /// The statement `template` of this storage.
    pub(super) fn get(&self, template: &'static str) -> SqlStr {
        self.with_rows(template, "", 0)
    }

    /// The statement `template`, with `count` times `row` for its `{values}`.
    pub(super) fn with_rows(&self, template: &'static str, row: &str, count: usize) -> SqlStr {
        let mut statements = self.statements.lock().unwrap_or_else(PoisonError::into_inner);
        let text = statements.entry((template, count)).or_insert_with(|| self.expand(template, row, count).into());
        AssertSqlSafe(Arc::clone(text)).into_sql_str()
    }

    /// All statements that were used so far.
    #[cfg(test)]
    pub(super) fn all(&self) -> Vec<Arc<str>> {
        self.statements.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// A text that is used once.
    pub(super) fn expand(&self, template: &str, row: &str, count: usize) -> String {
        let values = if count == 0 { String::new() } else { format!("{row}{}", format!(", {row}").repeat(count - 1)) };
        template.replace("{p}", &self.prefix).replace("{ids}", IDS).replace("{values}", &values)
    }
}

/// Cuts a number of rows into pieces of few different sizes, so that few statements need to be prepared.
pub(super) fn pieces(mut rows: usize) -> impl Iterator<Item = usize> {
    const SIZES: [usize; 5] = [256, 64, 16, 4, 1];
    std::iter::from_fn(move || {
        let size = SIZES.into_iter().find(|size| *size <= rows)?;
        rows -= size;
        Some(size)
    })
}

#[cfg(test)]
mod tests {
    use super::{Sql, pieces};

    #[test]
    fn pieces_add_up() {
        for rows in [0, 1, 3, 255, 256, 1_000] {
            assert_eq!(pieces(rows).sum::<usize>(), rows);
        }
    }

    #[test]
    fn a_statement_has_its_prefix_and_rows() {
        let sql = Sql::new("x_");
        assert_eq!(
            sql.with_rows("INSERT INTO {p}t VALUES {values}", "(?)", 2).as_str(),
            "INSERT INTO x_t VALUES (?), (?)"
        );
    }
}
