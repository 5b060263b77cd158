//! Where a place is: the `media` column of a location.

use serde::{Serialize, Serializer};

use crate::{
    text::{self, Text},
    wire,
};

/// Names and addresses of places are a line or two; characters.
const MAX_WORDS: usize = 500;
/// Bytes; what is longer is no address anybody opens.
const MAX_URL: usize = 2048;
/// Half around the Earth, in metres: what is less exact says nothing.
const LEAST_EXACT: u64 = 20_000_000;

/// Field numbers of one of `waE2E`'s messages of a place beside its degrees, 1 and 2; 0 where it has no such field.
#[derive(Debug, PartialEq)]
pub struct Layout {
    pub name: u32,
    pub address: u32,
    pub url: u32,
    pub accuracy: u32,
    /// Says whether the place is where somebody was just then; a message without the field always means that.
    pub is_live: u32,
}

pub const LOCATION: Layout = Layout { name: 3, address: 4, url: 5, accuracy: 7, is_live: 6 };
pub const LIVE_LOCATION: Layout = Layout { name: 0, address: 0, url: 0, accuracy: 3, is_live: 0 };

/// The place of a message, as its bytes tell of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Place<'a> {
    message: &'a [u8],
    layout: &'static Layout,
}

/// The column. What is not there, or is nonsense, is left out.
#[derive(Serialize)]
struct Column<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(flatten)]
    point: Option<Point>,
    #[serde(skip_serializing_if = "Option::is_none")]
    accuracy: Option<u64>,
    #[serde(skip_serializing_if = "str::is_empty")]
    name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    address: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<Text<'a>>,
    is_live: bool,
}

/// Degrees.
#[derive(Serialize)]
struct Point {
    latitude: f64,
    longitude: f64,
}

impl<'a> Place<'a> {
    /// The place this message tells of; None when it tells of none.
    #[must_use]
    pub fn of(message: &'a [u8], layout: &'static Layout) -> Option<Self> {
        let place = Self { message, layout };
        let says = |number| text::is_visible(&place.words(number));
        (place.point().is_some() || says(layout.name) || says(layout.address)).then_some(place)
    }

    fn words(&self, number: u32) -> Text<'a> {
        text::clean(wire::bytes_of(self.message, number))
    }

    fn point(&self) -> Option<Point> {
        let degrees = |number| wire::find(self.message, number).map(|field| f64::from_bits(field.number()));
        let (latitude, longitude) = (degrees(1)?, degrees(2)?);
        // Neither infinite nor NaN is within.
        let is_on_earth = (-90.0..=90.0).contains(&latitude) && (-180.0..=180.0).contains(&longitude);
        is_on_earth.then_some(Point { latitude, longitude })
    }

    fn url(&self) -> Option<Text<'a>> {
        let url = self.words(self.layout.url);
        let begins = |scheme: &str| url.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
        let is_web = begins("https://") || begins("http://");
        let is_one = url.len() <= MAX_URL && !url.contains(|each: char| each.is_whitespace() || each.is_control());
        (is_web && is_one).then_some(url)
    }
}

impl Serialize for Place<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let layout = self.layout;
        let (name, address) = (self.words(layout.name), self.words(layout.address));
        let accuracy = wire::number_of(self.message, layout.accuracy);
        let column = Column {
            kind: "place",
            point: self.point(),
            accuracy: (1..=LEAST_EXACT).contains(&accuracy).then_some(accuracy),
            name: text::preview(&name, MAX_WORDS),
            address: text::preview(&address, MAX_WORDS),
            url: self.url(),
            is_live: layout.is_live == 0 || wire::number_of(self.message, layout.is_live) != 0,
        };
        column.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use prost::Message as _;
    use serde_json::{Value, json};
    use wafast_schema::e2e;

    use super::*;

    fn column(message: &e2e::LocationMessage) -> Option<Value> {
        Place::of(&message.encode_to_vec(), &LOCATION).map(|place| serde_json::to_value(place).unwrap())
    }

    fn at(latitude: f64, longitude: f64) -> e2e::LocationMessage {
        e2e::LocationMessage {
            degrees_latitude: Some(latitude),
            degrees_longitude: Some(longitude),
            ..Default::default()
        }
    }

    #[test]
    fn a_place_says_where_and_what_it_is() {
        let place = e2e::LocationMessage {
            name: Some("KL\0CC".into()),
            address: Some("Jalan Ampang".into()),
            url: Some("https://klcc.example/a".into()),
            accuracy_in_meters: Some(12),
            ..at(3.15785, -101.5)
        };
        let wanted = json!({
            "type": "place", "latitude": 3.15785, "longitude": -101.5, "accuracy": 12, "name": "KLCC",
            "address": "Jalan Ampang", "url": "https://klcc.example/a", "is_live": false,
        });
        assert_eq!(column(&place), Some(wanted));
    }

    #[test]
    fn a_live_one_says_so() {
        let live = e2e::LiveLocationMessage {
            degrees_latitude: Some(90.0),
            degrees_longitude: Some(180.0),
            accuracy_in_meters: Some(0),
            caption: Some("here".into()),
            ..Default::default()
        };
        let bytes = live.encode_to_vec();
        let found = serde_json::to_value(Place::of(&bytes, &LIVE_LOCATION)).unwrap();
        assert_eq!(found, json!({"type": "place", "latitude": 90.0, "longitude": 180.0, "is_live": true}));
    }

    #[test]
    fn what_is_nowhere_on_earth_is_left_out() {
        for (latitude, longitude) in [(9e99, 1.0), (90.1, 1.0), (1.0, -180.5), (f64::NAN, 1.0), (1.0, f64::INFINITY)] {
            assert_eq!(column(&at(latitude, longitude)), None);
            let named = e2e::LocationMessage { name: Some("KLCC".into()), ..at(latitude, longitude) };
            assert_eq!(column(&named), Some(json!({"type": "place", "name": "KLCC", "is_live": false})));
        }
        let half = e2e::LocationMessage { degrees_longitude: None, ..at(3.1, 0.0) };
        assert_eq!(column(&half), None);
    }

    #[test]
    fn only_addresses_of_the_web_are_kept() {
        let url = |url: &str| {
            let place = e2e::LocationMessage { url: Some(url.to_owned()), ..at(1.0, 2.0) };
            column(&place).unwrap().get("url").cloned()
        };
        assert_eq!(url("HTTP://x.my"), Some(json!("HTTP://x.my")));
        let long = format!("https://{}", "x".repeat(MAX_URL));
        for other in ["javascript:alert(1)", " https://x.my", "https://x.my/\n", "//x.my", "data:text/html,x", &long] {
            assert_eq!(url(other), None, "{other}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_place_on_earth_or_none(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            for layout in [&LOCATION, &LIVE_LOCATION] {
                let Some(place) = Place::of(&bytes, layout) else { continue };
                let column = serde_json::to_value(place).unwrap();
                prop_assert!(column["latitude"].as_f64().unwrap_or(0.0).abs() <= 90.0);
                prop_assert!(column["longitude"].as_f64().unwrap_or(0.0).abs() <= 180.0);
                prop_assert!(!column.to_string().contains("\\u0000"));
            }
        }

        #[test]
        fn degrees_stay_as_they_came(latitude in -90.0..=90.0f64, longitude in -180.0..=180.0f64) {
            let bytes = at(latitude, longitude).encode_to_vec();
            let column = serde_json::to_string(&Place::of(&bytes, &LOCATION)).unwrap();
            let degrees = format!("\"latitude\":{},\"longitude\":{},", json!(latitude), json!(longitude));
            prop_assert!(column.contains(&degrees), "{}", column);
        }
    }
}
