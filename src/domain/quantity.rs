//! Kubernetes quantities, exact: what `8`, `16Gi` and `1500m` mean, and how the API server writes them.
//!
//! Reason for a type of our own: `kube_quantity` 0.9 writes back the suffix it was given (`2.5Gi` stays `2.5Gi`, the server
//! says `2560Gi`), and `k8s_quantity_parser` 0.1 knows only whole bytes and milli CPUs. A quota compared
//! through either would differ from the one the API server stores, and drift would never settle. The rules
//! here are those of `k8s.io/apimachinery/pkg/api/resource` 0.37; the table in the tests was printed by it.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use crate::bilingual::bilingual;
use crate::bilingual::{Bilingual, bilingual_errors};
use bigdecimal::num_bigint::BigInt;
use bigdecimal::{BigDecimal, RoundingMode, ToPrimitive};

/// Longest text read. Keeps hostile input cheap (S10); every sensible quantity is far shorter.
const MAX_LEN: usize = 64;
/// Nano units in one.
const NANO: i128 = 1_000_000_000;
/// Nano units in a milli.
const MILLI: i128 = 1_000_000;
/// First magnitude refused: 1000E. From here on the API server loses the suffix (it writes `1000E` as `1`).
const LIMIT: i128 = 1_000 * 1_000_000_000_000_000_000 * NANO;
/// Upper bound of binary quantities: 2^63-1.
const BINARY_CAP: i128 = i64::MAX as i128 * NANO;

/// Suffixes of powers of ten, with their exponent.
const DECIMAL: [(&str, i32); 10] =
    [("n", -9), ("u", -6), ("m", -3), ("", 0), ("k", 3), ("M", 6), ("G", 9), ("T", 12), ("P", 15), ("E", 18)];
/// Suffixes of powers of two, with their exponent.
const BINARY: [(&str, u32); 6] = [("Ki", 10), ("Mi", 20), ("Gi", 30), ("Ti", 40), ("Pi", 50), ("Ei", 60)];

/// Notation of a quantity. Remembered from parsing, without meaning for its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    /// `12M`, `1500m`
    Decimal,
    /// `12e6`
    Exponent,
    /// `12Mi`
    Binary,
}

/// An exact amount, in nano units, with the notation it was written in.
///
/// Equality and order are by amount: `1024Mi == 1Gi == 1073741824`. [`fmt::Display`] is the canonical form.
#[derive(Clone, Copy, Debug)]
pub struct Quantity {
    nanos: i128,
    format: Format,
}

/// Error of a text that is no quantity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QuantityError {
    /// Not a number at all.
    Number(String),
    /// A number, with an unknown suffix.
    Suffix {
        /// The whole text.
        text: String,
        /// Its suffix.
        suffix: String,
    },
    /// More than the API server stores faithfully.
    TooLarge(String),
    /// Longer than is read.
    TooLong,
}

impl QuantityError {
    /// Wording: the defect and the allowed values.
    #[must_use]
    pub fn text(&self) -> Bilingual {
        match self {
            Self::Number(text) => bilingual!(
                "“{text}”不是数量：应为十进制数，可带后缀 n u m k M G T P E、Ki Mi Gi Ti Pi Ei 或指数 e3，例如 500m、8、16Gi",
                "“{text}” is not a quantity: a decimal number is allowed, with a suffix n u m k M G T P E, Ki Mi Gi Ti Pi Ei or an exponent e3, such as 500m, 8, 16Gi"
            ),
            Self::Suffix { text, suffix } => bilingual!(
                "“{text}”的后缀“{suffix}”无效：只允许 n u m k M G T P E、Ki Mi Gi Ti Pi Ei 或指数 e3（区分大小写）",
                "“{text}” has the unknown suffix “{suffix}”: n u m k M G T P E, Ki Mi Gi Ti Pi Ei or an exponent e3 are allowed, case matters"
            ),
            Self::TooLarge(text) => bilingual!(
                "“{text}”过大：绝对值必须小于 1000E",
                "“{text}” is too large: less than 1000E is allowed"
            ),
            Self::TooLong => Bilingual::new(
                "数量过长：最多 64 个字符",
                "the quantity is too long: at most 64 characters are allowed",
            ),
        }
    }
}

bilingual_errors!(QuantityError);

impl Quantity {
    /// None of it.
    pub const ZERO: Self = Self { nanos: 0, format: Format::Decimal };

    /// The amount as the API server stores it in a resource list (quota, limits): rounded up to whole milli
    /// units, away from zero. Everything in a ResourceQuota passes through this.
    pub fn stored(self) -> Self {
        Self { nanos: round_away(self.nanos, MILLI), ..self }
    }

    /// Returns true if it is below zero.
    pub fn is_negative(self) -> bool {
        self.nanos < 0
    }

    /// Returns true if it is nothing.
    pub fn is_zero(self) -> bool {
        self.nanos == 0
    }

    /// Returns true if it is a whole number, as counts (pods, services) must be.
    pub fn is_whole(self) -> bool {
        self.nanos % NANO == 0
    }

    /// The amount in nano units.
    pub fn nanos(self) -> i128 {
        self.nanos
    }

    /// The sum, `None` from 1000E on. Like the API server, nothing plus something takes the other's notation.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.checked(other, self.nanos.checked_add(other.nanos)?)
    }

    /// The difference, `None` from 1000E on.
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.checked(other, self.nanos.checked_sub(other.nanos)?)
    }

    fn checked(self, other: Self, nanos: i128) -> Option<Self> {
        let format = if self.is_zero() { other.format } else { self.format };
        (nanos.abs() < LIMIT).then_some(Self { nanos, format })
    }
}

/// `n` rounded to a multiple of `unit`, away from zero: whoever asks for a little gets a little.
fn round_away(n: i128, unit: i128) -> i128 {
    match n % unit {
        0 => n,
        rest => n - rest + unit * rest.signum(),
    }
}

impl FromStr for Quantity {
    type Err = QuantityError;

    /// Reads what the API server reads, surrounding blanks included; stricter only where the server is
    /// careless: a number needs a digit (it takes `Ki` and `.` for 0) and stays below 1000E.
    fn from_str(text: &str) -> Result<Self, QuantityError> {
        let text = text.trim();
        if text.len() > MAX_LEN {
            return Err(QuantityError::TooLong);
        }
        let (nanos, format) = magnitude(text)?;
        let nanos = if format == Format::Binary { nanos.min(BINARY_CAP) } else { nanos };
        if nanos >= LIMIT {
            return Err(QuantityError::TooLarge(text.to_owned()));
        }
        let negative = text.as_bytes().first() == Some(&b'-');
        Ok(Self { nanos: if negative { -nanos } else { nanos }, format })
    }
}

/// Nano units, rounded up and without their sign, and notation of a number.
fn magnitude(text: &str) -> Result<(i128, Format), QuantityError> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let end = unsigned.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(unsigned.len());
    let (number, suffix) = unsigned.split_at(end);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if fraction.is_empty()
        && let Some(found) = whole_number(whole, suffix)
    {
        return Ok(found);
    }
    let mantissa: BigInt =
        format!("{whole}{fraction}").parse().map_err(|_| QuantityError::Number(text.to_owned()))?;
    let (format, ten, two) = scale(suffix)
        .ok_or_else(|| QuantityError::Suffix { text: text.to_owned(), suffix: suffix.to_owned() })?;
    if ten > MAX_LEN as i64 && mantissa != BigInt::ZERO {
        return Err(QuantityError::TooLarge(text.to_owned()));
    }
    // Below 10^-128 every mantissa that fits rounds up to one nano all the same.
    let ten = ten.clamp(-2 * MAX_LEN as i64, MAX_LEN as i64);
    let exact = BigDecimal::new(mantissa << two, fraction.len() as i64 - ten);
    let nanos = (exact * NANO).with_scale_round(0, RoundingMode::Up).to_i128().unwrap_or(i128::MAX);
    Ok((nanos, format))
}

/// Nano units and notation of a number without a fraction, where 128 bits hold each step; `None` where they do not. Nearly all
/// quantities are such, and a decision reads some fifty: 16Gi takes 24 ns, and 331 ns by arithmetic of any length.
fn whole_number(number: &str, suffix: &str) -> Option<(i128, Format)> {
    let number: i128 = number.parse().ok()?;
    let (format, ten, two) = scale(suffix)?;
    let ten = 10_i128.checked_pow(u32::try_from(ten + 9).ok()?)?;
    let nanos = number.checked_mul(ten)?.checked_mul(1_i128.checked_shl(two)?)?;
    Some((nanos, format))
}

/// Notation, power of ten and power of two of a suffix. A lone `E` is exa, `E3` an exponent.
fn scale(suffix: &str) -> Option<(Format, i64, u32)> {
    if let Some((_, ten)) = DECIMAL.iter().find(|(s, _)| *s == suffix) {
        return Some((Format::Decimal, i64::from(*ten), 0));
    }
    if let Some((_, two)) = BINARY.iter().find(|(s, _)| *s == suffix) {
        return Some((Format::Binary, 0, *two));
    }
    let exponent = suffix.strip_prefix(['e', 'E'])?;
    // Beyond i32 the server wraps around; nobody means that.
    exponent.parse::<i32>().ok().map(|ten| (Format::Exponent, i64::from(ten), 0))
}

impl fmt::Display for Quantity {
    /// The canonical form: no fraction, the largest suffix that loses nothing; binary only for whole numbers
    /// of 1024 and more.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_zero() {
            return f.write_str("0");
        }
        let whole = self.nanos / NANO;
        match self.format {
            Format::Binary if self.is_whole() && whole.abs() >= 1024 => write_binary(whole, f),
            Format::Exponent => match decimal(self.nanos) {
                (mantissa, 0) => write!(f, "{mantissa}"),
                (mantissa, ten) => write!(f, "{mantissa}e{ten}"),
            },
            Format::Binary | Format::Decimal => {
                let (mantissa, ten) = decimal(self.nanos);
                let suffix = DECIMAL.iter().find(|(_, e)| *e == ten).map_or("", |(s, _)| s);
                write!(f, "{mantissa}{suffix}")
            }
        }
    }
}

fn write_binary(mut mantissa: i128, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut suffix = "";
    for (name, _) in BINARY {
        if mantissa % 1024 != 0 {
            break;
        }
        mantissa /= 1024;
        suffix = name;
    }
    write!(f, "{mantissa}{suffix}")
}

/// Mantissa and the largest exponent, a multiple of three up to 18, that loses nothing.
fn decimal(mut mantissa: i128) -> (i128, i32) {
    let mut ten = -9;
    while ten < 18 && mantissa % 1000 == 0 {
        mantissa /= 1000;
        ten += 3;
    }
    (mantissa, ten)
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Self) -> bool {
        self.nanos == other.nanos
    }
}

impl Eq for Quantity {}

impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Quantity {
    fn cmp(&self, other: &Self) -> Ordering {
        self.nanos.cmp(&other.nanos)
    }
}

#[cfg(test)]
mod tests;
