//! Cron schedules: the vectors of Cronos (`tests/cron/NOTICE.md`), and a brute force that knows only the rules.

#[path = "cron/brute_force.rs"]
mod brute_force;
#[path = "cron/fields.rs"]
mod fields;
#[path = "cron/random.rs"]
mod random;
#[path = "cron/vectors.rs"]
mod vectors;

use chrono::{DateTime, NaiveDate, TimeDelta, TimeZone, Utc};
use chrono_tz::{Africa, America, Asia, Australia, Europe, Pacific, Tz};
use jobs_runtime::schedule::{CronErrorKind, CronSchedule, Field};

fn schedule(text: &str) -> CronSchedule {
    CronSchedule::parse(text).unwrap_or_else(|error| panic!("{error:#}"))
}

fn at(zone: Tz, text: &str) -> DateTime<Tz> {
    DateTime::parse_from_rfc3339(text).expect(text).with_timezone(&zone)
}

/// The first times after `from`, each found from the one before.
fn times(text: &str, zone: Tz, from: &str, count: usize) -> Vec<String> {
    let schedule = schedule(text);
    let next = |time: &DateTime<Tz>| schedule.next_after(time, false);
    std::iter::successors(next(&at(zone, from)), next).take(count).map(|time| time.to_rfc3339()).collect()
}

#[test]
fn a_time_that_is_skipped_comes_at_the_end_of_the_gap_and_once() {
    let zone = America::New_York;
    assert_eq!(
        times("0,30 2 * * *", zone, "2016-03-12T12:00:00-05:00", 3),
        ["2016-03-13T03:00:00-04:00", "2016-03-14T02:00:00-04:00", "2016-03-14T02:30:00-04:00"]
    );
    let found = schedule("30 2 * * *").next_after(&at(zone, "2016-03-13T03:00:00-04:00"), true);
    assert_eq!(found, Some(at(zone, "2016-03-13T03:00:00-04:00")), "the end of the gap is one of the times");
}

#[test]
fn gaps_of_half_an_hour_at_midnight_and_of_a_day() {
    assert_eq!(
        times("*/20 2 * * *", Australia::Lord_Howe, "2017-09-30T16:00:00+10:30", 3),
        ["2017-10-01T02:30:00+11:00", "2017-10-01T02:40:00+11:00", "2017-10-02T02:00:00+11:00"]
    );
    assert_eq!(
        times("@daily", America::Sao_Paulo, "2018-11-03T12:00:00-03:00", 2),
        ["2018-11-04T01:00:00-02:00", "2018-11-05T00:00:00-02:00"]
    );
    assert_eq!(
        times("0 6,12 * * *", Pacific::Apia, "2011-12-29T08:00:00-10:00", 4),
        [
            "2011-12-29T12:00:00-10:00",
            "2011-12-31T00:00:00+14:00",
            "2011-12-31T06:00:00+14:00",
            "2011-12-31T12:00:00+14:00"
        ]
    );
}

#[test]
fn fixed_times_come_once_where_clocks_go_back_and_intervals_go_on() {
    let zone = Europe::Berlin;
    assert_eq!(
        times("0,30 2 * * *", zone, "2026-10-25T01:59:59+02:00", 3),
        ["2026-10-25T02:00:00+02:00", "2026-10-25T02:30:00+02:00", "2026-10-26T02:00:00+01:00"]
    );
    assert_eq!(
        times("*/30 2 * * *", zone, "2026-10-25T01:59:59+02:00", 5),
        [
            "2026-10-25T02:00:00+02:00",
            "2026-10-25T02:30:00+02:00",
            "2026-10-25T02:00:00+01:00",
            "2026-10-25T02:30:00+01:00",
            "2026-10-26T02:00:00+01:00"
        ]
    );
    assert_eq!(
        times("0-10/10 2 * * *", zone, "2026-10-25T02:20:00+02:00", 1),
        ["2026-10-25T02:00:00+01:00"],
        "nothing is left in the first pass"
    );
    assert_eq!(
        times("45 1 * * *", Australia::Lord_Howe, "2017-04-01T12:00:00+11:00", 2),
        ["2017-04-02T01:45:00+11:00", "2017-04-03T01:45:00+10:30"],
        "half an hour comes twice"
    );
}

#[test]
fn offsets_with_seconds_are_kept() {
    assert_eq!(
        times("*/30 0 7 1 *", Africa::Monrovia, "1972-01-06T12:00:00Z", 2),
        ["1972-01-07T00:44:30+00:00", "1973-01-07T00:00:00+00:00"]
    );
    assert_eq!(times("@hourly", Asia::Kathmandu, "2026-11-20T12:20:00Z", 1), ["2026-11-20T19:00:00+05:45"]);
}

#[test]
fn a_fraction_of_a_second_is_past_its_second() {
    let from = at(Tz::UTC, "2026-11-20T12:00:00.000000001Z");
    for inclusive in [false, true] {
        let found = schedule("* * * * * *").next_after(&from, inclusive);
        assert_eq!(found, Some(at(Tz::UTC, "2026-11-20T12:00:01Z")));
    }
}

#[test]
fn nothing_is_found_after_the_year_9999() {
    let utc = |year, month, day, hour| Utc.with_ymd_and_hms(year, month, day, hour, 0, 0).single().expect("a time");
    assert_eq!(schedule("0 23 31 12 *").next_after(&utc(9999, 1, 1, 0), false), Some(utc(9999, 12, 31, 23)));
    assert_eq!(schedule("0 23 31 12 *").next_after(&utc(9999, 12, 31, 23), false), None);
    assert_eq!(schedule("0 0 29 2 *").next_after(&utc(9996, 2, 29, 0), false), None);
    assert_eq!(schedule("* * * * *").next_after(&utc(10_000, 1, 1, 0), true), None);
    for time in [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC] {
        for zone in [Pacific::Apia, Pacific::Honolulu, Tz::UTC] {
            let _ = schedule("@yearly").next_after(&time.with_timezone(&zone), true);
        }
    }
}

#[test]
fn rare_days_are_found_and_impossible_ones_given_up_at_once() {
    let from = at(Tz::UTC, "2016-03-01T00:00:00Z");
    let started = std::time::Instant::now();
    for (text, expected) in [
        ("0 0 29 2 1#5", Some("2044-02-29T00:00:00+00:00")),
        ("0 0 29 2 0#5", Some("2032-02-29T00:00:00+00:00")),
        ("0 0 31W 12 5L", Some("2016-12-30T00:00:00+00:00")),
        ("0 0 LW 2 1", Some("2022-02-28T00:00:00+00:00")),
        ("0 0 31 2 *", None),
        ("0 0 30 FEB,FEB *", None),
        ("0 0 15 * 1#1", None),
        ("* * 31 2,4,6,9,11 *", None),
    ] {
        let found = schedule(text).next_after(&from, false).map(|time| time.to_rfc3339());
        assert_eq!(found.as_deref(), expected, "{text}");
        assert_eq!(schedule(text).never_fires(), expected.is_none(), "{text}");
    }
    assert!(started.elapsed().as_secs() < 2, "{:?}", started.elapsed());
}

#[test]
fn the_grammar_refuses_what_it_does_not_know() {
    for (text, field, found) in [
        ("60 * * * *", Field::Minutes, "60"),
        ("001 * * * *", Field::Minutes, "001"),
        ("*/60 * * * *", Field::Minutes, "60"),
        ("*/0 * * * *", Field::Minutes, "0"),
        ("1- * * * *", Field::Minutes, ""),
        ("1,,2 * * * *", Field::Minutes, ""),
        (",1 * * * *", Field::Minutes, ""),
        ("1, * * * *", Field::Minutes, ""),
        ("1,* * * * *", Field::Minutes, "*"),
        ("*,1 * * * *", Field::Minutes, ","),
        ("*-5 * * * *", Field::Minutes, "-"),
        ("** * * * *", Field::Minutes, "*"),
        ("1-2-3 * * * *", Field::Minutes, "-"),
        ("1/2/3 * * * *", Field::Minutes, "/"),
        ("+1 * * * *", Field::Minutes, "+"),
        ("１ * * * *", Field::Minutes, "１"),
        ("* 24 * * *", Field::Hours, "24"),
        ("* * 0 * *", Field::DaysOfMonth, "0"),
        ("* * 0W * *", Field::DaysOfMonth, "0"),
        ("* * L-31 * *", Field::DaysOfMonth, "31"),
        ("* * L- * *", Field::DaysOfMonth, ""),
        ("* * 1,15W * *", Field::DaysOfMonth, "W"),
        ("* * 15W,1 * *", Field::DaysOfMonth, ","),
        ("* * 15W-2 * *", Field::DaysOfMonth, "-"),
        ("* * 15W/2 * *", Field::DaysOfMonth, "/"),
        ("* * L/2 * *", Field::DaysOfMonth, "/"),
        ("* * L,1 * *", Field::DaysOfMonth, ","),
        ("* * 1,L * *", Field::DaysOfMonth, "L"),
        ("* * WL * *", Field::DaysOfMonth, "WL"),
        ("* * MON * *", Field::DaysOfMonth, "MON"),
        ("* * * 0 *", Field::Months, "0"),
        ("* * * MON *", Field::Months, "MON"),
        ("* * * JANUARY *", Field::Months, "JANUARY"),
        ("* * * JANL *", Field::Months, "JANL"),
        ("* * * * 8", Field::DaysOfWeek, "8"),
        ("* * * * 5L,1", Field::DaysOfWeek, ","),
        ("* * * * 1,5L", Field::DaysOfWeek, "L"),
        ("* * * * 1-5L", Field::DaysOfWeek, "L"),
        ("* * * * 5#0", Field::DaysOfWeek, "0"),
        ("* * * * 5#6", Field::DaysOfWeek, "6"),
        ("* * * * 5#1,2", Field::DaysOfWeek, ","),
        ("* * * * 5#1#2", Field::DaysOfWeek, "#"),
        ("* * * * *#1", Field::DaysOfWeek, "#"),
        ("* * * * #1", Field::DaysOfWeek, "#"),
        ("* * * * 1W", Field::DaysOfWeek, "W"),
        ("* * * * 1\n", Field::DaysOfWeek, "\n"),
        ("* * * *\u{a0}* *", Field::Months, "\u{a0}"),
    ] {
        let error = CronSchedule::parse(text).expect_err(text);
        assert_eq!((error.field(), error.found()), (Some(field), found), "{error:#}");
        assert!(!error.to_string().contains('\n'), "{error}");
        assert!(error.to_string().contains(field.name()), "{error}");
    }
    for text in ["", " \t ", "*", "* * * *", "* * * * * * *", "@", "@daily @daily", "@ daily", "@reboot", "daily"] {
        assert_eq!(CronSchedule::parse(text).expect_err(text).field(), None, "{text}");
    }
    let error = CronSchedule::parse("0 0 0 1 1 * 2026").expect_err("seven fields");
    assert_eq!((error.kind(), error.found()), (CronErrorKind::FieldCount { found: 7 }, "2026"));
}

#[test]
fn the_grammar_takes_what_is_unusual() {
    for text in [
        "\t00 07  1 1\t7 ",
        "?/5 ? ? ? ? ?",
        "59/59 23/23 31/31 12/12 7/7",
        "0 0 l-0w jAn-DEC/12 sUn#5",
        "0 0 L-30 * 0L",
        "5-5,6-4/59 0 31W * MONL",
        "@Every_Second",
    ] {
        assert_eq!(schedule(text).to_string(), text);
    }
}

#[test]
fn days_are_those_of_an_independent_calendar() {
    let mut random = random::Random::new(7);
    for _ in 0..150 {
        let (text, fires_on) = fields::random_days(&mut random);
        let schedule = schedule(&format!("0 0 {text}"));
        let start = NaiveDate::from_yo_opt(random.below(9_990) as i32 + 1, 1).expect("a date");
        let days: Vec<NaiveDate> = start.iter_days().take(800).filter(|day| fires_on(*day)).collect();
        let midnight = |day: NaiveDate| day.and_time(chrono::NaiveTime::MIN).and_utc();
        let mut from = midnight(start) - TimeDelta::seconds(1);
        for day in days {
            from = schedule.next_after(&from, false).unwrap_or_else(|| panic!("{text}: nothing, not even {day}"));
            assert_eq!(from, midnight(day), "{text}");
        }
    }
}
