//! Counting working days: the bound is 1 µs a working day.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use govcloud_api::deadline::{Deadline, Obligation};
use govcloud_api::work_calendar::WorkCalendar;
use govcloud_domain::calendar::Calendar;
use govcloud_domain::deadline::{DeadlineClock, DeadlineReports};
use jiff::Timestamp;

fn calendar() -> Calendar {
    let shipped: WorkCalendar = serde_saphyr::from_str(include_str!("../../../config/calendars/cn.yaml"))
        .expect("the shipped calendar reads");
    Calendar::new("cn", 1, &shipped.spec).expect("the shipped calendar is sound")
}

fn due(c: &mut Criterion) {
    let calendar = calendar();
    let start: Timestamp = "2026-09-24T02:00:00Z".parse().expect("an instant");
    let mut group = c.benchmark_group("due");
    for days in [3_u32, 30, 300] {
        // Reported per working day.
        group.throughput(Throughput::Elements(days.into()));
        group.bench_function(format!("{days} working days"), |b| {
            b.iter(|| calendar.due(black_box(start), black_box(days)))
        });
    }
    group.finish();
}

fn tick(c: &mut Criterion) {
    let calendar = calendar();
    let start: Timestamp = "2026-09-24T02:00:00Z".parse().expect("an instant");
    let after: Timestamp = "2026-11-12T00:00:00Z".parse().expect("an instant");
    let open = Deadline::open(Obligation::GoLive, 30, start, &calendar);
    let many = vec![open; 10_000];
    c.bench_function("tick of 10,000 deadlines due in the same second", |b| {
        b.iter_batched(
            || many.clone(),
            |mut many| many.iter_mut().map(|d| d.tick(after, &calendar).len()).sum::<usize>(),
            criterion::BatchSize::LargeInput,
        )
    });
}

criterion_group!(benches, due, tick);
criterion_main!(benches);
