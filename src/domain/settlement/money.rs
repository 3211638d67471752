//! Exact prices and amounts (Art. 26): fractions throughout, and one rounding where a line is printed.
//!
//! Fractions are those of `num-rational`. A decimal type (`rust_decimal`, `bigdecimal`) cannot hold a 31st part of a
//! price, and then two halves of a month no longer add up to the month.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, Sub};
use std::str::FromStr;

use bigdecimal::num_bigint::BigInt;
use num_rational::BigRational;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

use crate::bilingual::{Bilingual, bilingual, bilingual_errors};

/// An exact number: unit-days, or an amount before it is rounded. Its text is `8` or `139/31`.
pub type Fraction = BigRational;

/// A fraction as a decimal number, cut after so many places and without zeros at the end: for software that knows no
/// fractions.
#[must_use]
pub fn decimal(exact: &Fraction, places: u32) -> String {
    let scale = BigInt::from(10).pow(places);
    let scaled = (exact * Fraction::from_integer(scale)).trunc().to_integer().to_string();
    let (sign, digits) = scaled.strip_prefix('-').map_or(("", &*scaled), |digits| ("-", digits));
    let width = places as usize + 1;
    let digits = format!("{digits:0>width$}");
    let (whole, rest) = digits.split_at(digits.len() - places as usize);
    let text = format!("{sign}{whole}.{rest}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Quantity and cost of a line, exact: `unitDays ÷ ofDays`, and that times the price. `None` where a text is no number.
#[must_use]
pub fn priced(unit_days: &str, of_days: &str, price: &str) -> Option<(Fraction, Fraction)> {
    let (unit_days, of_days): (Fraction, Fraction) = (unit_days.parse().ok()?, of_days.parse().ok()?);
    if of_days == Fraction::from_integer(BigInt::ZERO) {
        return None;
    }
    let quantity = unit_days / of_days;
    let cost = &quantity * price.parse::<Price>().ok()?.exact();
    Some((quantity, cost))
}

/// Longest price read, in bytes; the schema's bound.
const MAX_LEN: usize = 32;

/// Error of a text that is no price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriceError {
    /// The text.
    pub text: String,
}

impl PriceError {
    /// Wording: the defect and the allowed values.
    #[must_use]
    pub fn text(&self) -> Bilingual {
        let text = &self.text;
        bilingual!(
            "“{text}”不是价格：应为不小于零的十进制数，最多 32 个字符，例如 30 或 30.50",
            "“{text}” is not a price: a decimal number of zero or more is allowed, at most 32 characters, such as 30 or 30.50"
        )
    }
}

bilingual_errors!(PriceError);

/// Price of one unit over one period, exact, with the text that it was written as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Price {
    text: String,
    exact: Fraction,
}

impl Price {
    /// The exact price.
    pub fn exact(&self) -> &Fraction {
        &self.exact
    }
}

impl FromStr for Price {
    type Err = PriceError;

    /// Reads `30` and `30.50`: digits, and at most one point between digits.
    fn from_str(text: &str) -> Result<Self, PriceError> {
        let error = || PriceError { text: text.chars().take(2 * MAX_LEN).collect() };
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
        if text.len() > MAX_LEN || !digits(whole) || !digits(decimals) {
            return Err(error());
        }
        let numerator: BigInt = format!("{whole}{decimals}").parse().map_err(|_| error())?;
        let places = u32::try_from(decimals.len()).map_err(|_| error())?;
        let exact = Fraction::new(numerator, BigInt::from(10).pow(places));
        Ok(Self { text: text.to_owned(), exact })
    }
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A printed amount of money: whole hundredths of the currency. Its text has two decimals.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Money {
    hundredths: BigInt,
}

impl Money {
    /// The amount of a line: rounded half-up to 0.01.
    pub fn rounded(exact: &Fraction) -> Self {
        let half = Fraction::new(BigInt::from(1), BigInt::from(2));
        let hundredths = (exact * Fraction::from_integer(BigInt::from(100)) + half).floor();
        Self { hundredths: hundredths.to_integer() }
    }

    /// Returns true if it is nothing.
    pub fn is_zero(&self) -> bool {
        self.hundredths == BigInt::ZERO
    }
}

impl Add for &Money {
    type Output = Money;

    fn add(self, other: Self) -> Money {
        Money { hundredths: &self.hundredths + &other.hundredths }
    }
}

impl Sub for &Money {
    type Output = Money;

    fn sub(self, other: Self) -> Money {
        Money { hundredths: &self.hundredths - &other.hundredths }
    }
}

impl<'a> Sum<&'a Money> for Money {
    fn sum<I: Iterator<Item = &'a Money>>(amounts: I) -> Money {
        amounts.fold(Money::default(), |sum, amount| &sum + amount)
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, digits) = match self.hundredths.to_string() {
            text if text.starts_with('-') => ("-", text[1..].to_owned()),
            text => ("", text),
        };
        let digits = format!("{digits:0>3}");
        let (whole, hundredths) = digits.split_at(digits.len() - 2);
        write!(f, "{sign}{whole}.{hundredths}")
    }
}

impl FromStr for Money {
    type Err = PriceError;

    /// Reads what [`fmt::Display`] writes.
    fn from_str(text: &str) -> Result<Self, PriceError> {
        let error = || PriceError { text: text.chars().take(2 * MAX_LEN).collect() };
        let (whole, decimals) = text.split_once('.').ok_or_else(error)?;
        let hundredths: BigInt = format!("{whole}{decimals}").parse().map_err(|_| error())?;
        let money = Self { hundredths };
        if money.to_string() == text { Ok(money) } else { Err(error()) }
    }
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fraction(numerator: i64, denominator: i64) -> Fraction {
        Fraction::new(numerator.into(), denominator.into())
    }

    #[test]
    fn a_price_is_exact() {
        assert_eq!(*"30.50".parse::<Price>().unwrap().exact(), fraction(61, 2));
        assert_eq!(*"0.00045833".parse::<Price>().unwrap().exact(), fraction(45_833, 100_000_000));
        assert_eq!("30.50".parse::<Price>().unwrap().to_string(), "30.50");
    }

    #[test]
    fn what_is_no_price_is_refused() {
        let long = "9".repeat(33);
        for wrong in ["", "-1", "+1", "1.", ".5", "1,5", "1e3", "1/3", "一", " 1", "1.2.3", &long] {
            let error = wrong.parse::<Price>().unwrap_err();
            assert!(error.to_string().contains("30.50"), "{wrong}: {error}");
        }
    }

    #[test]
    fn a_fraction_is_cut_to_a_decimal() {
        for (numerator, denominator, text) in
            [(144, 31, "4.645161290322"), (8, 1, "8"), (-1, 2, "-0.5"), (0, 1, "0"), (1, 400, "0.0025")]
        {
            assert_eq!(decimal(&fraction(numerator, denominator), 12), text);
        }
        let (quantity, cost) = priced("144", "31", "30.00").unwrap();
        assert_eq!((decimal(&quantity, 3), decimal(&cost, 12)), ("4.645".into(), "139.354838709677".into()));
        assert!(priced("1", "0", "1").is_none() && priced("x", "1", "1").is_none());
    }

    #[test]
    fn half_a_hundredth_goes_up() {
        for (numerator, denominator, text) in [
            (5, 1000, "0.01"),
            (4_999, 1_000_000, "0.00"),
            (139_355, 1000, "139.36"),
            (4_320, 31, "139.35"),
            (0, 1, "0.00"),
            (1, 3, "0.33"),
            (2, 3, "0.67"),
            (7, 1, "7.00"),
        ] {
            assert_eq!(Money::rounded(&fraction(numerator, denominator)).to_string(), text);
        }
    }

    #[test]
    fn an_amount_below_zero_has_one_sign() {
        let (small, large) = (Money::rounded(&fraction(1, 20)), Money::rounded(&fraction(2, 1)));
        assert_eq!((&small - &large).to_string(), "-1.95");
        assert_eq!((&Money::default() - &small).to_string(), "-0.05");
        for wrong in ["1", "1.5", "1.234", "-0.00", "01.00", "1.-5", "a.bc"] {
            assert!(wrong.parse::<Money>().is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn an_amount_is_read_as_it_is_written(hundredths in any::<i64>()) {
            let money = Money { hundredths: hundredths.into() };
            prop_assert_eq!(money.to_string().parse::<Money>().unwrap(), money);
        }

        /// Rounding moves an amount by at most half a hundredth, and never changes an order.
        #[test]
        fn rounding_keeps_the_order(a in 0_i64..1_000_000, b in 0_i64..1_000_000, of in 1_i64..400) {
            let (a, b) = (fraction(a.min(b), of), fraction(a.max(b), of));
            prop_assert!(Money::rounded(&a) <= Money::rounded(&b));
            let moved = Fraction::new(Money::rounded(&a).hundredths, 100.into()) - a;
            prop_assert!(moved <= fraction(1, 200) && moved > fraction(-1, 200));
        }
    }
}
