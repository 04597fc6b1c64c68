use chrono::DateTime;
use chrono_tz::Tz;
use jobs_runtime::schedule::CronSchedule;

#[test]
fn the_next_times_are_those_of_cronos() {
    let failures: Vec<String> =
        rows(include_str!("../../cron/next_sample.csv"), 324).iter().filter_map(|row| wrong_time(row)).collect();
    assert!(failures.is_empty(), "{} wrong:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn what_cronos_refuses_is_refused_and_its_field_named() {
    for row in rows(include_str!("../../cron/invalid_sample.csv"), 85) {
        let [id, expression, _, mentions, _] = &row[..] else { panic!("{row:?}") };
        let error = CronSchedule::parse(expression).expect_err(id).to_string();
        assert!(error.contains(mentions.as_str()), "{id}: {error}");
    }
}

fn wrong_time(row: &[String]) -> Option<String> {
    let [id, _, expression, _, zone, from, inclusive, expected, _] = row else { panic!("{row:?}") };
    let zone: Tz = zone.parse().expect("a zone");
    let from = DateTime::parse_from_rfc3339(from).expect("a time").with_timezone(&zone);
    let found = match CronSchedule::parse(expression) {
        Ok(schedule) => schedule.next_after(&from, inclusive == "true").map(|time| time.to_rfc3339()),
        Err(error) => Some(error.to_string()),
    };
    let found = found.unwrap_or_default();
    (found != *expected).then(|| format!("{id} `{expression}` from {from}: {found} instead of {expected}"))
}

/// The rows below the head, of which there must be `count`.
fn rows(csv: &str, count: usize) -> Vec<Vec<String>> {
    let rows: Vec<Vec<String>> = csv.lines().skip(1).map(cells).collect();
    assert_eq!(rows.len(), count);
    rows
}

fn cells(line: &str) -> Vec<String> {
    let (mut cells, mut quoted) = (vec![String::new()], false);
    for c in line.chars() {
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => cells.push(String::new()),
            c => cells.last_mut().expect("a cell").push(c),
        }
    }
    cells
}
