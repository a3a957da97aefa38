//! Calendar days: the ends of suppressions, and dates in policies.

use std::fmt;

use jiff::{ToSpan as _, civil};

/// 1970-01-01.
const EPOCH: civil::Date = civil::date(1970, 1, 1);

/// A day of the Gregorian calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(civil::Date);

impl Date {
    /// `None` for a day that the calendar does not have.
    pub fn new(year: u16, month: u8, day: u8) -> Option<Self> {
        let (year, month, day) = (year.try_into().ok()?, month.try_into().ok()?, day.try_into().ok()?);
        civil::Date::new(year, month, day).ok().map(Self)
    }

    /// `YYYY-MM-DD`.
    pub fn parse(text: &str) -> Option<Self> {
        let is_plain = text.len() == 10 && text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
        text.parse().ok().filter(|_| is_plain).map(Self)
    }

    /// The day in UTC of a time with an offset (`2026-10-27T23:30:00-02:00`), or of seconds or milliseconds since
    /// 1970-01-01T00:00:00Z.
    pub fn of_time(text: &str) -> Option<Self> {
        let seconds = match text.parse::<f64>() {
            Ok(number) if number.abs() < 1e11 => number as i64,
            Ok(number) if number.abs() < 1e14 => (number / 1000.0) as i64,
            Ok(_) => return None,
            Err(_) => text.parse::<jiff::Timestamp>().ok()?.as_second(),
        };
        Some(Self::from_days(seconds.div_euclid(24 * 60 * 60)))
    }

    /// Days since 1970-01-01.
    pub fn days(self) -> i64 {
        self.0.duration_since(EPOCH).as_hours() / 24
    }

    /// The day that is `days` after 1970-01-01; beyond the calendar, its first or last day.
    pub fn from_days(days: i64) -> Self {
        let end = if days < 0 { civil::Date::MIN } else { civil::Date::MAX };
        let span = i32::try_from(days).ok().map(|d| d.days());
        Self(span.and_then(|s| EPOCH.checked_add(s).ok()).unwrap_or(end))
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_dates_agree() {
        assert_eq!(Date::parse("1970-01-01").map(Date::days), Some(0));
        assert_eq!(Date::parse("2000-03-01").map(Date::days), Some(11_017));
        for days in [-1, 0, 59, 11_016, 20_779, 40_000] {
            assert_eq!(Date::from_days(days).days(), days);
        }
        assert_eq!(Date::parse("2027-02-29"), None);
        assert_eq!(
            Date::parse("2028-02-29").map(|d| d.to_string()),
            Some("2028-02-29".to_owned())
        );
        assert_eq!(Date::parse("27-2-9"), None);
    }
}
