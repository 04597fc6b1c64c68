use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};

/// How a database writes what the others write differently.
#[derive(Debug)]
pub(crate) struct Dialect {
    /// For `{in_ids}`: `job {in_ids}` holds if the job is one of those of the next parameter.
    pub(crate) in_ids: &'static str,
    /// For `{locked}`, at the end of a query of one job `j`: nobody else moves it until the transaction ends.
    pub(crate) locked: &'static str,
    /// For `{insert_new}` and `{if_new}`, before and after a row that is left out if its key is there already.
    pub(crate) insert_new: &'static str,
    pub(crate) if_new: &'static str,
    /// For `{join}`, a join whose tables are read in the order in which they are written.
    pub(crate) join: &'static str,
    /// For `{rank}`, the column: in MySQL the word is reserved.
    pub(crate) rank: &'static str,
    /// For `{integer}`, the type to cast a sum to.
    pub(crate) integer: &'static str,
    /// Whether parameters have numbers: `$1` instead of `?`.
    pub(crate) numbered: bool,
    /// Names that only the statements of this database use.
    pub(crate) own: &'static [(&'static str, &'static str)],
}

/// The statements of one storage: `{p}` in a template stands for what is before the names of its tables, `{values}` for
/// a list of rows, `{keys}` for a query of a column `k` with as many, and the names of [`Dialect`] for what is written
/// differently.
///
/// What is put in was checked when the storage was opened, so nothing from outside gets into a statement's text.
#[derive(Debug)]
pub(crate) struct Templates {
    prefix: String,
    dialect: &'static Dialect,
    statements: Mutex<HashMap<(&'static str, usize), Arc<str>>>,
}

impl Templates {
    pub(crate) fn new(prefix: impl Into<String>, dialect: &'static Dialect) -> Self {
        Self { prefix: prefix.into(), dialect, statements: Mutex::default() }
    }

    /// The statement `template` of this storage.
    pub(crate) fn get(&self, template: &'static str) -> SqlStr {
        self.with_rows(template, "", 0)
    }

    /// The statement `template`, with `count` times `row` for its `{values}` or `{keys}`.
    pub(crate) fn with_rows(&self, template: &'static str, row: &str, count: usize) -> SqlStr {
        let mut statements = self.statements.lock().unwrap_or_else(PoisonError::into_inner);
        let text = statements.entry((template, count)).or_insert_with(|| self.expand(template, row, count).into());
        AssertSqlSafe(Arc::clone(text)).into_sql_str()
    }

    /// The statement `text`, which is not kept.
    pub(crate) fn once(&self, text: &str) -> SqlStr {
        AssertSqlSafe(self.expand(text, "", 0)).into_sql_str()
    }

    /// All statements that were used so far.
    #[cfg(test)]
    pub(crate) fn all(&self) -> Vec<Arc<str>> {
        self.statements.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// A text that is used once.
    pub(crate) fn expand(&self, template: &str, row: &str, count: usize) -> String {
        let values = if count == 0 { String::new() } else { format!("{row}{}", format!(", {row}").repeat(count - 1)) };
        let more = format!(" UNION ALL SELECT {row}").repeat(count.saturating_sub(1));
        let keys = if count == 0 { String::new() } else { format!("SELECT {row} AS k{more}") };
        let text = self.dialect.own.iter().fold(template.to_owned(), |text, (name, own)| text.replace(name, own));
        let text = text
            .replace("{p}", &self.prefix)
            .replace("{in_ids}", self.dialect.in_ids)
            .replace("{values}", &values)
            .replace("{keys}", &keys)
            .replace("{locked}", self.dialect.locked)
            .replace("{insert_new}", self.dialect.insert_new)
            .replace("{if_new}", self.dialect.if_new)
            .replace("{join}", self.dialect.join)
            .replace("{rank}", self.dialect.rank)
            .replace("{integer}", self.dialect.integer);
        if self.dialect.numbered { numbered(&text) } else { text }
    }
}

/// The text with `$1`, `$2` … for each `?`; no statement has one in a text.
fn numbered(text: &str) -> String {
    let mut parts = text.split('?');
    let mut numbered = parts.next().unwrap_or_default().to_owned();
    for (number, part) in (1..).zip(parts) {
        numbered += &format!("${number}{part}");
    }
    numbered
}

/// Cuts a number of rows into pieces of few different sizes, so that few statements need to be prepared.
#[cfg(feature = "sqlite")]
pub(crate) fn pieces(mut rows: usize) -> impl Iterator<Item = usize> {
    const SIZES: [usize; 5] = [256, 64, 16, 4, 1];
    std::iter::from_fn(move || {
        let size = SIZES.into_iter().find(|size| *size <= rows)?;
        rows -= size;
        Some(size)
    })
}

#[cfg(test)]
mod tests {
    use super::{Dialect, Templates};

    #[cfg(feature = "sqlite")]
    #[test]
    fn pieces_add_up() {
        for rows in [0, 1, 3, 255, 256, 1_000] {
            assert_eq!(super::pieces(rows).sum::<usize>(), rows);
        }
    }

    #[test]
    fn a_statement_is_written_as_its_database_wants_it() {
        const DIALECT: Dialect = Dialect {
            in_ids: "= ANY(?)",
            locked: "FOR UPDATE",
            insert_new: "INSERT",
            if_new: "ON CONFLICT DO NOTHING",
            join: "INNER JOIN",
            rank: "rank",
            integer: "BIGINT",
            numbered: true,
            own: &[],
        };
        let templates = Templates::new("x_", &DIALECT);
        let text = templates.with_rows("INSERT INTO {p}t VALUES {values} -- {locked}", "(?, ?)", 2);
        assert_eq!(text.as_str(), "INSERT INTO x_t VALUES ($1, $2), ($3, $4) -- FOR UPDATE");
        assert_eq!(
            templates.get("DELETE FROM {p}t WHERE a = ? AND id {in_ids}").as_str(),
            "DELETE FROM x_t WHERE a = $1 AND id = ANY($2)"
        );
    }
}
