//! The plots of the page, as SVG and PNG: the operator beside the limit, and memory.

use std::fs;
use std::path::Path;
use std::sync::Once;

use anyhow::{Result, anyhow};
use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::{FontStyle, register_font};

use super::contest::Contest;
use super::scale::Scale;

const SIZE: (u32, u32) = (900, 480);
const COSTLESS: RGBColor = RGBColor(230, 120, 0);
const OPERATOR: RGBColor = RGBColor(31, 119, 180);
const LIMIT: RGBColor = RGBColor(140, 140, 140);
const GOAL: RGBColor = RGBColor(214, 39, 40);

/// Draws every plot that there are results for.
pub fn draw(dir: &Path, provision: &[Contest], scale: Option<&Scale>) -> Result<()> {
    static FONT: Once = Once::new();
    FONT.call_once(|| {
        // The one font of the plots travels with them, so that they look alike everywhere.
        drop(register_font("sans-serif", FontStyle::Normal, dejavu::sans::regular()));
    });
    fs::create_dir_all(dir)?;
    if !provision.is_empty() {
        both(&dir.join("ratio"), &|area| ratio(&area, provision), &|area| ratio(&area, provision))?;
    }
    if let Some(scale) = scale.filter(|s| !s.steps.is_empty()) {
        both(&dir.join("memory"), &|area| memory(&area, scale), &|area| memory(&area, scale))?;
    }
    Ok(())
}

type Svg<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Png<'a> = DrawingArea<BitMapBackend<'a>, Shift>;

/// The same plot in both formats.
fn both(
    path: &Path,
    svg: &dyn for<'a> Fn(Svg<'a>) -> Result<()>,
    png: &dyn for<'a> Fn(Png<'a>) -> Result<()>,
) -> Result<()> {
    svg(SVGBackend::new(&path.with_extension("svg"), SIZE).into_drawing_area())?;
    png(BitMapBackend::new(&path.with_extension("png"), SIZE).into_drawing_area())
}

/// A chart of two axes that begin at zero.
type Chart<'a, B> = ChartContext<'a, B, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

fn failed<B: DrawingBackend>(e: DrawingAreaErrorKind<B::ErrorType>) -> anyhow::Error {
    anyhow!("{e}")
}

/// The empty chart with its axes: what each counts, and the most of it.
fn frame<'a, B: DrawingBackend>(
    area: &'a DrawingArea<B, Shift>,
    caption: &str,
    (x, most): (&str, f64),
    (y, top): (&str, f64),
) -> Result<Chart<'a, B>> {
    area.fill(&WHITE).map_err(failed::<B>)?;
    let mut chart = ChartBuilder::on(area)
        .caption(caption, ("sans-serif", 22))
        .margin(16)
        .x_label_area_size(46)
        .y_label_area_size(64)
        .build_cartesian_2d(0.0..most * 1.08, 0.0..top * 1.12)
        .map_err(failed::<B>)?;
    chart
        .configure_mesh()
        .x_desc(x)
        .y_desc(y)
        .x_label_formatter(&|x| format!("{x:.0}"))
        .label_style(("sans-serif", 15))
        .axis_desc_style(("sans-serif", 17))
        .light_line_style(WHITE)
        .draw()
        .map_err(failed::<B>)?;
    Ok(chart)
}

/// A line in the legend.
fn dash(at: (i32, i32), style: ShapeStyle) -> PathElement<(i32, i32)> {
    PathElement::new([at, (at.0 + 22, at.1)], style)
}

/// The legend, and the file.
fn finish<'a, B: DrawingBackend + 'a>(area: &DrawingArea<B, Shift>, chart: &mut Chart<'a, B>) -> Result<()> {
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .label_font(("sans-serif", 16))
        .background_style(WHITE)
        .border_style(LIMIT)
        .draw()
        .map_err(failed::<B>)?;
    area.present().map_err(failed::<B>)
}

/// Seconds by number of applications: the operator's runs, the costless client's, the bare client's, and ten percent above those.
fn ratio<B: DrawingBackend>(area: &DrawingArea<B, Shift>, contests: &[Contest]) -> Result<()> {
    let most = contests.iter().map(|c| c.applications).max().unwrap_or(1) as f64;
    let longest = contests.iter().flat_map(|c| &c.pairs).map(highest).fold(0.0, f64::max);
    let mut chart = frame(
        area,
        "Provisioning N approved applications: the operator and the limit",
        ("applications", most),
        ("seconds", longest),
    )?;
    let raw: Vec<(f64, f64)> =
        contests.iter().map(|c| (c.applications as f64, median_of(c, |p| p.raw))).collect();
    let line =
        |factor: f64| std::iter::once((0.0, 0.0)).chain(raw.iter().map(move |(x, y)| (*x, y * factor)));
    chart
        .draw_series(LineSeries::new(line(1.0), LIMIT.stroke_width(2)))
        .map_err(failed::<B>)?
        .label("bare client, same writes (median)")
        .legend(|at| dash(at, LIMIT.stroke_width(2)));
    chart
        .draw_series(LineSeries::new(line(1.1), GOAL.stroke_width(1)))
        .map_err(failed::<B>)?
        .label("goal: at most 10 % above it")
        .legend(|at| dash(at, GOAL.stroke_width(1)));
    let runs = contests.iter().flat_map(|c| c.pairs.iter().map(|p| (c.applications as f64, p.operator)));
    chart
        .draw_series(runs.map(|at| Circle::new(at, 5, OPERATOR.filled())))
        .map_err(failed::<B>)?
        .label("operator, each run")
        .legend(|(x, y)| Circle::new((x + 11, y), 5, OPERATOR.filled()));
    let costless = contests
        .iter()
        .flat_map(|c| c.pairs.iter().filter_map(|p| Some((c.applications as f64, p.costless?))));
    chart
        .draw_series(costless.map(|at| Circle::new(at, 8, COSTLESS.stroke_width(2))))
        .map_err(failed::<B>)?
        .label("costless client, each run: approvals and writes")
        .legend(|(x, y)| Circle::new((x + 11, y), 8, COSTLESS.stroke_width(2)));
    finish(area, &mut chart)
}

/// The highest point of a pair in the plot.
fn highest(pair: &super::contest::Pair) -> f64 {
    pair.operator.max(1.1 * pair.raw).max(pair.costless.unwrap_or_default())
}

fn median_of(contest: &Contest, f: impl Fn(&super::contest::Pair) -> f64) -> f64 {
    super::figures::median(&contest.pairs.iter().map(f).collect::<Vec<_>>())
}

/// Resident memory by number of active applications, beside the goal.
fn memory<B: DrawingBackend>(area: &DrawingArea<B, Shift>, scale: &Scale) -> Result<()> {
    let mib = |bytes: u64| bytes as f64 / 1024f64.powi(2);
    let most = scale.steps.iter().map(|s| s.applications).max().unwrap_or(1) as f64;
    let goal = |n: f64| 25.0 + n * 6.0 / 1024.0;
    let top = scale.steps.iter().map(|s| mib(s.restarted)).fold(goal(most), f64::max);
    let mut chart =
        frame(area, "Resident memory by active applications", ("active applications", most), ("MiB", top))?;
    chart
        .draw_series(LineSeries::new([(0.0, goal(0.0)), (most, goal(most))], GOAL.stroke_width(1)))
        .map_err(failed::<B>)?
        .label("goal: 25 MiB and 6 KiB an application")
        .legend(|at| dash(at, GOAL.stroke_width(1)));
    let points: Vec<(f64, f64)> = std::iter::once((0.0, mib(scale.idle)))
        .chain(scale.steps.iter().map(|s| (s.applications as f64, mib(s.restarted))))
        .collect();
    chart
        .draw_series(LineSeries::new(points, OPERATOR.stroke_width(2)).point_size(5))
        .map_err(failed::<B>)?
        .label("operator")
        .legend(|at| dash(at, OPERATOR.stroke_width(2)));
    finish(area, &mut chart)
}
