//! Which name of the database may have been meant by a text that is none.

use chrono_tz::{TZ_VARIANTS, Tz};

/// Well-known cities that the database has no name for, with the zone that has their time.
const CITIES: [(Tz, &[&str]); 15] = [
    (Tz::America__Chicago, &["Austin", "Dallas", "Houston"]),
    (Tz::America__Los_Angeles, &["San_Diego", "San_Francisco", "Seattle"]),
    (Tz::America__New_York, &["Atlanta", "Boston", "Miami", "Philadelphia", "Washington", "Washington_DC"]),
    (Tz::America__Sao_Paulo, &["Brasilia", "Rio_de_Janeiro"]),
    (Tz::Asia__Dubai, &["Abu_Dhabi"]),
    (Tz::Asia__Ho_Chi_Minh, &["Hanoi"]),
    (Tz::Asia__Kolkata, &["Bangalore", "Bengaluru", "Chennai", "Delhi", "Hyderabad", "Mumbai", "New_Delhi"]),
    (Tz::Asia__Shanghai, &["Beijing", "Guangzhou", "Hangzhou", "Peking", "Shenzhen"]),
    (Tz::Asia__Tokyo, &["Kyoto", "Osaka"]),
    (Tz::Europe__Berlin, &["Cologne", "Frankfurt", "Hamburg", "Munich"]),
    (Tz::Europe__Madrid, &["Barcelona"]),
    (Tz::Europe__Moscow, &["Saint_Petersburg", "St_Petersburg"]),
    (Tz::Europe__Paris, &["Lyon", "Marseille"]),
    (Tz::Europe__Rome, &["Milan"]),
    (Tz::Europe__Zurich, &["Basel", "Bern", "Geneva"]),
];

/// What people write who mean the zone of the machine.
const MACHINE: [&str; 4] = ["local", "localtime", "machine", "system"];

/// A name of the database that may have been meant.
#[derive(Clone, Copy)]
pub(crate) struct Near {
    pub(crate) zone: &'static str,
    /// Whether what was meant is a city that the database has no name for.
    pub(crate) is_other_city: bool,
}

/// The name most like `wanted`, where people often leave out the region or write a blank for `_`.
pub(crate) fn nearest(wanted: &str) -> Option<Near> {
    let is_short = wanted.len() < 6 && wanted.chars().all(|c| c.is_ascii_uppercase());
    let wanted = Wanted::new(wanted);
    let known = TZ_VARIANTS.iter().map(|zone| {
        let (region, city) = split(zone.name());
        (wanted.likeness(region, city), Near { zone: zone.name(), is_other_city: false })
    });
    let others = CITIES.into_iter().flat_map(|(zone, cities)| cities.iter().map(move |city| (zone.name(), *city)));
    let others = others.map(|(zone, city)| {
        let likeness = wanted.likeness(split(zone).0, city);
        (if likeness > 0.8 { likeness } else { 0.0 }, Near { zone, is_other_city: true })
    });
    known
        .chain(others)
        // `AEST` is not like `EST`.
        .filter(|(likeness, _)| *likeness > if is_short { 0.98 } else { 0.65 })
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, near)| near)
}

/// The region of the database in which `name` should be.
pub(crate) fn region(name: &str) -> Option<&'static str> {
    let region = split(name).0;
    let mut regions = TZ_VARIANTS.iter().map(|zone| split(zone.name()).0);
    regions.find(|known| !known.is_empty() && *known != "Etc" && known.eq_ignore_ascii_case(region))
}

pub(crate) fn is_machine(name: &str) -> bool {
    MACHINE.contains(&name.to_ascii_lowercase().as_str())
}

struct Wanted {
    whole: String,
    city: String,
    /// The region, if the database has it.
    region: Option<&'static str>,
}

impl Wanted {
    fn new(written: &str) -> Self {
        let whole = written.trim().to_lowercase().replace(' ', "_");
        Self { city: split(&whole).1.to_owned(), region: region(&whole), whole }
    }

    /// How like it is, from 0 to 1; less than 0.65 says nothing.
    fn likeness(&self, region: &str, city: &str) -> f64 {
        let by_city = strsim::normalized_damerau_levenshtein(&self.city, &city.to_lowercase());
        match self.region {
            Some(own) if own == region => by_city,
            // A city of another region is meant only if it is written right.
            Some(_) => {
                if by_city == 1.0 {
                    0.99
                } else {
                    0.0
                }
            }
            None => {
                let name =
                    if region.is_empty() { city.to_lowercase() } else { format!("{region}/{city}").to_lowercase() };
                let by_name = strsim::normalized_damerau_levenshtein(&self.whole, &name);
                let likeness = by_name.max(by_city - 0.01);
                if likeness > 0.7 { likeness } else { 0.0 }
            }
        }
    }
}

/// Region and city of a name.
fn split(name: &str) -> (&str, &str) {
    name.rsplit_once('/').unwrap_or(("", name))
}

#[cfg(test)]
mod tests {
    use super::{CITIES, nearest};
    use crate::zone;

    #[test]
    fn names_are_found_by_what_people_write() {
        for (written, meant) in [
            ("Asia/Shangai", Some("Asia/Shanghai")),
            ("america/new york", Some("America/New_York")),
            ("Berlin", Some("Europe/Berlin")),
            ("BERLIN", Some("Europe/Berlin")),
            ("Germany/Berlin", Some("Europe/Berlin")),
            ("Erope/Berlin", Some("Europe/Berlin")),
            ("Asia/Moscow", Some("Europe/Moscow")),
            ("America/Indianapoli", Some("America/Indianapolis")),
            ("Europe/Prag", Some("Europe/Prague")),
            ("utc", Some("UTC")),
            ("AEST", None),
            ("Europe/Nice", None),
            ("Asia/Chengdu", None),
            ("Etc/Nowhere At All", None),
            ("", None),
        ] {
            assert_eq!(nearest(written).map(|near| near.zone), meant, "{written}");
        }
    }

    #[test]
    fn well_known_cities_are_found_though_the_database_lacks_them() {
        for (written, meant) in [
            ("Asia/Beijing", "Asia/Shanghai"),
            ("Asia/Bejing", "Asia/Shanghai"),
            ("frankfurt", "Europe/Berlin"),
            ("America/San Francisco", "America/Los_Angeles"),
            ("US/Seattle", "America/Los_Angeles"),
            ("America/Houston", "America/Chicago"),
            ("Europe/St. Petersburg", "Europe/Moscow"),
        ] {
            let near = nearest(written).expect(written);
            assert_eq!((near.zone, near.is_other_city), (meant, true), "{written}");
        }
    }

    #[test]
    fn cities_are_listed_only_if_the_database_lacks_them() {
        for (tz, cities) in CITIES {
            let region = super::split(tz.name()).0;
            for city in cities {
                assert!(zone(&format!("{region}/{city}")).is_err(), "{region}/{city}");
            }
        }
    }
}
