//! One row: whom it is about, when it happened, and its cells.

use chrono::{Datelike, Days, NaiveDate};
use connectors::fill::Cells;

use super::super::diagnoses::{self, Whose};
use super::super::people::Person;
use super::super::places::Places;
use super::super::population::WORKING;
use super::super::random::Random;
use super::super::visits::money;
use super::cells::{is_above, number, period, taken, written};
use super::forms;
use super::shape::{About, Field, Length, Make, On, Part, Shape, When};
use super::whole::Whole;

/// What each stream of random numbers is of.
const ROW: u64 = 70;
const STAFF: u64 = 73;
const CODES: u64 = 76;

/// What a column of the disease that a visit was for is called.
const PRINCIPAL: &str = "benh_chinh";

/// Codes of one form that are in use.
const CODED: u64 = 400;

/// Tries to make a cell that the lake would take.
const TRIES: u64 = 60;

/// Of these, those with the code of a facility or a disease; then comes what the pattern allows.
const PLAIN_TRIES: u64 = 10;

/// Share of the cells that may be empty and are.
const EMPTY: f64 = 0.08;

/// Harmless, and of no one.
const SENTENCES: [&str; 18] = [
    "viên nén",
    "hộp",
    "sốt nhẹ",
    "theo dõi thêm",
    "đau đầu",
    "khám định kỳ",
    "không có gì đặc biệt",
    "ăn uống kém",
    "loại thông dụng",
    "đa khoa",
    "điều dưỡng",
    "xét nghiệm máu",
    "nội tổng hợp",
    "ngoại khoa",
    "lần thứ hai",
    "máy siêu âm",
    "cơm hộp",
    "rau xào",
];

/// What all rows share.
#[derive(Debug, Clone, Copy)]
pub(super) struct World<'a> {
    pub(super) seed: u64,
    pub(super) places: &'a Places,
    /// Rows of a usual night.
    pub(super) rows: u64,
    /// The first night.
    pub(super) first: NaiveDate,
}

impl World<'_> {
    /// The day that ends before a night, which is what the night tells of.
    pub(super) fn told(&self, night: u64) -> NaiveDate {
        self.first + Days::new(night) - Days::new(1)
    }

    /// Persons are as old as they are on this day.
    pub(super) fn today(&self) -> NaiveDate {
        NaiveDate::from_ymd_opt(self.first.year(), 1, 1).unwrap_or(self.first)
    }
}

/// Which row of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Spot {
    pub(super) night: u64,
    pub(super) index: u64,
}

/// A table's rows, by the number of the table.
#[derive(Clone, Copy)]
pub(super) struct Maker<'a> {
    pub(super) world: World<'a>,
    pub(super) shape: &'a Shape<'a>,
    pub(super) number: u64,
}

impl Maker<'_> {
    /// A row as it was first written.
    pub(super) fn first(&self, spot: Spot, attempt: u64) -> Cells {
        let mut random = self.random(spot, &[attempt]);
        let whole = self.whole(spot, attempt, &mut random);
        let mut cells: Cells = vec![None; self.shape.fields.len()];
        let is_day = |field: &Field<'_>| matches!(field.make, Make::Day(_));
        // What is said once for a whole form is the same in all of its rows.
        let mut once = self.form(spot, attempt, 1);
        for days in [true, false] {
            for (at, field) in self.shape.fields.iter().enumerate() {
                if is_day(field) == days {
                    let is_once = self.shape.form.is_some() && forms::is_fixed(field);
                    let random = if is_once { &mut once } else { &mut random };
                    cells[at] = self.cell(field, &whole, &cells, random);
                }
            }
        }
        self.mend(&mut cells);
        cells
    }

    /// The same row as it is corrected in a later night.
    pub(super) fn corrected(&self, spot: Spot, attempt: u64, night: u64) -> Cells {
        let mut cells = self.first(spot, attempt);
        let mut random = self.random(spot, &[attempt, night + 1]);
        let mut whole = self.whole(spot, attempt, &mut self.random(spot, &[attempt]));
        for (at, field) in self.shape.fields.iter().enumerate() {
            if !field.fixed && Some(at) != self.shape.watermark && random.chance(0.3) {
                cells[at] = self.cell(field, &whole, &cells, &mut random);
            }
        }
        whole.told = self.world.told(night);
        if let Some(at) = self.shape.watermark {
            cells[at] = self.cell(&self.shape.fields[at], &whole, &cells, &mut random);
        }
        self.mend(&mut cells);
        cells
    }

    /// The same row, with the sign that its key is gone.
    pub(super) fn deleted(&self, spot: Spot, attempt: u64, night: u64) -> Cells {
        let mut cells = self.corrected(spot, attempt, night);
        if let Some((at, values)) = &self.shape.deleted {
            cells[*at] = values.first().cloned();
        }
        cells
    }

    fn random(&self, spot: Spot, path: &[u64]) -> Random {
        let mut whole = vec![ROW, self.number, spot.night, spot.index];
        whole.extend_from_slice(path);
        Random::of(self.world.seed, &whole)
    }

    fn cell(
        &self,
        field: &Field<'_>,
        whole: &Whole,
        cells: &Cells,
        random: &mut Random,
    ) -> Option<String> {
        if !field.required && random.chance(EMPTY) {
            return None;
        }
        let mut text = String::new();
        for attempt in 0..TRIES {
            text = self.text(field, whole, cells, attempt, random)?;
            if field.fits(&text) {
                return Some(text);
            }
        }
        // The row will be refused where the cell must be there.
        field.required.then_some(text)
    }

    fn text(
        &self,
        field: &Field<'_>,
        whole: &Whole,
        cells: &Cells,
        attempt: u64,
        random: &mut Random,
    ) -> Option<String> {
        Some(match &field.make {
            Make::Values(values) => {
                let at = (random.unit().powi(2) * values.len() as f64) as usize;
                values.get(at).or(values.first())?.clone()
            }
            Make::Facility(pattern) | Make::Pattern(pattern) if field.is_key => {
                pattern.text(random, 12 + attempt / 8).trim().to_owned()
            }
            Make::Facility(pattern) | Make::Disease(pattern) if attempt > PLAIN_TRIES => {
                pattern.text(random, 12 + attempt / 8).trim().to_owned()
            }
            // Codes come again, in all tables whose codes have this form.
            Make::Pattern(pattern) => {
                let code = (random.unit().powi(2) * CODED as f64) as u64;
                let mut coded = Random::of(self.world.seed, &[CODES, code]);
                pattern.text(&mut coded, 5).trim().to_owned()
            }
            Make::Facility(_) => whole.visit.facility.code(self.world.places),
            Make::Disease(_) if field.column.name.contains(PRINCIPAL) => {
                whole.visit.diagnosis.to_owned()
            }
            Make::Disease(_) => {
                let person = &whole.visit.person;
                let age = u64::try_from(person.age_on(whole.event)).unwrap_or_default();
                let whose = Whose { female: person.female, age, on: whole.event };
                diagnoses::draw(random, whose, whole.visit.care.is_inpatient()).to_owned()
            }
            Make::DiseaseList([old, new]) => {
                if diagnoses::is_of_new_list(whole.event) {
                    new.clone()
                } else {
                    old.clone()
                }
            }
            Make::Care(_) => whole.visit.care.code.to_owned(),
            Make::Days => whole.visit.treatment_days.to_string(),
            Make::Outcome => whole.visit.outcome.to_owned(),
            Make::Bill(share) => money(share(&whole.visit.bill)),
            Make::Number { low, high, digits } => number(random, *low, *high, *digits),
            Make::Year => {
                let (low, high) = (field.column.min?, field.column.max?);
                let year = f64::from(whole.event.year()) - random.below(12) as f64;
                format!("{:.0}", year.clamp(low, high))
            }
            Make::Day(when) => {
                let day = self.day(*when, whole, random);
                written(day, field.holds, random.below(600))
            }
            Make::Unit(on) => self.unit(*on, whole, cells)?,
            Make::Truth { share } => random.chance(*share).to_string(),
            Make::Sentence if field.is_key => {
                format!("{} {}", random.pick(&SENTENCES), whole.serial)
            }
            Make::Sentence => (*random.pick(&SENTENCES)).to_owned(),
            Make::Entity => whole.entity.clone(),
            Make::Line => whole.line.to_string(),
            Make::Person(about) => self.about(*about, &whole.visit.person, whole),
            Make::Staff(about) => {
                let World { seed, places, .. } = self.world;
                let today = self.world.today();
                let person = Person::of(seed, STAFF, whole.staff, places, today, WORKING);
                self.about(*about, &person, whole)
            }
            Make::Quarter => {
                let (first, _) = period(whole.event, Length::Quarter);
                format!("{}-Q{}", first.year(), first.month0() / 3 + 1)
            }
            Make::Part(part) => match part {
                Part::Year => whole.event.year().to_string(),
                Part::Month => whole.event.month().to_string(),
                Part::Quarter => (whole.event.month0() / 3 + 1).to_string(),
            },
        })
    }

    fn day(&self, when: When, whole: &Whole, random: &mut Random) -> NaiveDate {
        match when {
            When::Event => whole.event,
            When::After if self.shape.has_stay => whole.event + Days::new(whole.visit.stay),
            When::After => (whole.event + Days::new(random.below(4))).min(whole.told),
            When::Written => whole.told,
            When::Past => whole.event - Days::new(200 + random.below(4_800)),
            When::Future => whole.told + Days::new(180 + random.below(900)),
            When::First(length) => period(whole.event, length).0,
            When::Last(length) => period(whole.event, length).1,
            When::Born => whole.visit.person.born,
        }
    }

    /// The province's code in the list of the day, which may be a month's first.
    fn unit(&self, on: On, whole: &Whole, cells: &Cells) -> Option<String> {
        let day = match on {
            On::Day(day) => day,
            On::Field(at) => cells[at].as_deref()?.get(..10)?.parse().ok()?,
        };
        let is_there = self.shape.has_facility;
        let visit = &whole.visit;
        let province = if is_there { visit.facility.province } else { visit.person.province };
        Some(self.world.places.code_on(province, day).to_owned())
    }

    fn about(&self, about: About, person: &Person, whole: &Whole) -> String {
        match about {
            About::Number => person.citizen_id.clone(),
            About::Name => person.name.clone(),
            About::Phone => person.phone.clone(),
            About::Address => person.address.clone(),
            About::Card => person.card.clone(),
            About::Age => person.age_on(whole.event).clamp(0, 120).to_string(),
            About::Sex => person.sex().to_owned(),
            About::Licence => {
                let place = self.world.places.old[person.province].abbreviation();
                format!("99{:07}/{place}-CCHN", whole.staff)
            }
        }
    }

    /// Makes the checks between two cells hold, where one of them may change.
    fn mend(&self, cells: &mut Cells) {
        let fields = &self.shape.fields;
        // A cell that was changed for one check may fail another.
        for _ in 0..2 {
            for check in &self.shape.checks {
                let (low, high) = (check.low, check.high);
                let (Some(one), Some(other)) = (&cells[low], &cells[high]) else { continue };
                if !is_above(one, other) {
                    continue;
                }
                let (one, other) = (one.clone(), other.clone());
                let may = |at: usize| !fields[at].fixed && Some(at) != self.shape.watermark;
                if let Some(text) = taken(&fields[low], &other).filter(|_| may(low)) {
                    cells[low] = Some(text);
                } else if let Some(text) = taken(&fields[high], &one).filter(|_| may(high)) {
                    cells[high] = Some(text);
                }
            }
        }
    }
}
