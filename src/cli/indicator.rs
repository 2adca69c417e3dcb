//! `khoyte indicator`: an indicator on the boundaries of any date, without writing SQL.

use chrono::NaiveDate;
use serde_json::json;
use warehouse::access::Principal;
use warehouse::names::{Lang, Text};
use warehouse::spec::QueryKind;
use warehouse::system;

use super::sql::{self, Format};
use super::{CommandLine, Exit, House};
use crate::config;
use crate::report::{Both, Reporter};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The indicator; without it, all indicators are listed
    id: Option<String>,
    /// Boundaries of this date [default: today's]
    #[arg(long, value_name = "DATE", value_parser = config::parse_date)]
    on: Option<NaiveDate>,
    /// Only this year
    #[arg(long)]
    year: Option<i32>,
    /// Form of the result [default: table, json with --log-json]
    #[arg(long, value_enum)]
    format: Option<Format>,
}

pub(super) async fn run(args: &Args, line: &CommandLine, out: &Reporter) -> anyhow::Result<Exit> {
    let on = args.on.unwrap_or_else(config::today);
    let house = match House::open_to_read(line.config()?, out)? {
        Ok(house) => house,
        Err(exit) => return Ok(exit),
    };
    let declarations = house.warehouse.declarations();
    let Some(id) = &args.id else {
        for query in declarations.of_kind(QueryKind::Indicator) {
            let unit = query.indicator.as_ref().map(|i| i.unit.clone());
            let unit = unit.unwrap_or(Text::new("", ""));
            let (title, unit) = (query.title.get(Lang::Vi), unit.get(Lang::Vi));
            out.result(&Both {
                text: format!("{:32} {title} ({unit})\n", query.id),
                object: json!({ "id": query.id, "title": title, "unit": unit }),
            });
        }
        return Ok(Exit::Done);
    };
    // The id is looked up before it is put into SQL.
    let known = declarations.query(id).filter(|query| query.kind == QueryKind::Indicator);
    let Some(query) = known else {
        out.fail(&format!("khoyte: there is no indicator `{id}`; `khoyte indicator` lists them"));
        return Ok(Exit::Usage);
    };
    let values = system::indicator_values().name;
    if house.warehouse.lake().note(&values, id).await?.is_some_and(|note| note.simulated) {
        out.say("these figures are made from simulated data: draw no conclusions");
    }
    let year = args.year.map(|year| format!(" AND nam = {year}")).unwrap_or_default();
    let statement = format!(
        "SELECT ma, ten, ky, phan_to, tu_so, mau_so, gia_tri, thanh_phan, thanh_phan_can \
         FROM chi_tieu_tai(DATE '{on}') WHERE ma_chi_tieu = '{}'{year} ORDER BY ma, ky, phan_to",
        query.id
    );
    sql::show(&house, &Principal::system(), &statement, args.format, out).await
}
