//! The first words of a connection: what is wanted, and by whom.

use datafusion_postgres::pgwire::messages::response::{GssEncResponse, SslResponse};
use datafusion_postgres::pgwire::messages::startup::NegotiateProtocolVersion;
use datafusion_postgres::pgwire::messages::{PgWireBackendMessage, ProtocolVersion};

use super::fault::{Fault, Result};
use super::frames::Phase;
use super::incoming::Incoming;
use super::messages::Body;
use super::outgoing::Outgoing;

const CANCEL: i32 = 80_877_102;
const SSL: i32 = 80_877_103;
const GSS: i32 = 80_877_104;

/// What a connection is for.
pub(super) enum First {
    /// To ask.
    Start(Startup),
    /// To stop a query of another connection.
    Cancel { pid: i32, secret: Vec<u8> },
    /// To look whether somebody is there.
    Nothing,
}

/// Who wants to log in, and how it wants to be talked to.
pub(super) struct Startup {
    pub(super) version: ProtocolVersion,
    pub(super) user: String,
    /// The other parameters, in the order in which they came.
    pub(super) settings: Vec<(String, String)>,
}

/// Hears the first words. Encryption is refused as often as it can be asked for.
pub(super) async fn hear(incoming: &mut Incoming, out: &mut Outgoing) -> Result<First> {
    let (mut ssl, mut gss) = (false, false);
    loop {
        let Some(frame) = incoming.frame().await? else { return Ok(First::Nothing) };
        let mut body = Body::new(&frame.body);
        let refusal = match body.number()? {
            SSL if !std::mem::replace(&mut ssl, true) => {
                PgWireBackendMessage::SslResponse(SslResponse::Refuse)
            }
            GSS if !std::mem::replace(&mut gss, true) => {
                PgWireBackendMessage::GssEncResponse(GssEncResponse::Refuse)
            }
            SSL | GSS => return Err(Fault::protocol("encryption was refused already").into()),
            CANCEL => {
                let (pid, secret) = (body.number()?, body.rest().to_vec());
                return Ok(First::Cancel { pid, secret });
            }
            version => {
                incoming.phase = Phase::LogIn;
                return start(version, &mut body, out).await.map(First::Start);
            }
        };
        out.feed(refusal).await?;
        out.flush().await?;
    }
}

async fn start(version: i32, body: &mut Body<'_>, out: &mut Outgoing) -> Result<Startup> {
    let (major, minor) = (version >> 16, version & 0xffff);
    if major != 3 {
        let text = format!("protocol {major}.{minor} is not spoken here; 3.0 and 3.2 are");
        return Err(Fault::fatal("0A000", text).into());
    }
    let mut startup = Startup {
        version: if minor >= 2 {
            ProtocolVersion::PROTOCOL3_2
        } else {
            ProtocolVersion::PROTOCOL3_0
        },
        user: String::new(),
        settings: Vec::new(),
    };
    let mut unknown = Vec::new();
    loop {
        let name = body.text()?;
        if name.is_empty() {
            break;
        }
        let value = body.text()?;
        match name.as_str() {
            "user" => startup.user = value,
            "replication" if !matches!(value.as_str(), "false" | "off" | "no" | "0") => {
                return Err(Fault::fatal("0A000", "there is nothing to replicate here").into());
            }
            option if option.starts_with("_pq_.") => unknown.push(name),
            _ => startup.settings.push((name, value)),
        }
    }
    if startup.user.is_empty() {
        return Err(Fault::fatal("28000", "say who you are: the user's name is missing").into());
    }
    let (_, spoken) = startup.version.version_number();
    if i32::from(spoken) != minor || !unknown.is_empty() {
        let newest = i32::from(startup.version);
        let answer = NegotiateProtocolVersion::new(newest, unknown);
        out.feed(PgWireBackendMessage::NegotiateProtocolVersion(answer)).await?;
    }
    Ok(startup)
}
