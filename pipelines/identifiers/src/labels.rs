//! Words that say what a number, a name or a date beside them is: in the header of a column, and
//! within a cell.

use std::sync::LazyLock;

use super::lexicon::{Flags, Key, LABEL, Spelling};
use super::words::{Gap, Word, split};

/// What is announced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Label {
    Identity,
    SocialInsurance,
    Card,
    Passport,
    Licence,
    Tax,
    Phone,
    Bank,
    PaymentCard,
    Record,
    Officer,
    Practitioner,
    CivilPaper,
    Plate,
    Birth,
    Name,
    Address,
    Account,
    /// A code of a thing: a lot, a serial number, a decision.
    Thing,
}

/// Where a phrase says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    Both,
    Header,
    Cell,
}

use Scope::{Both, Cell, Header as InHeader};

const PHRASES: &[(Label, Scope, &str)] = &[
    (
        Label::Identity,
        Both,
        "cccd, cmnd, cmt, can cuoc, so dinh danh, ma dinh danh, dinh danh ca nhan, \
         chung minh nhan dan, chung minh thu, giay to tuy than, national id, citizen id",
    ),
    (
        Label::Identity,
        Cell,
        "cmtnd, ddcn, so dd, so cc, so cm, chung minh, identity card, id card, identity number, \
         id number, id no, giay cm, the cc, dinh danh",
    ),
    (
        Label::SocialInsurance,
        Both,
        "ma so bhxh, so bhxh, ma bhxh, bhxh, so so bhxh, bao hiem xa hoi",
    ),
    (Label::SocialInsurance, Cell, "so bao hiem, social insurance, ma bh, bhtn"),
    (Label::Card, Both, "the bhyt, ma the, so the, the tam, insurance card"),
    (Label::Card, Cell, "bhyt, the bh, bao hiem y te, health insurance, the bao hiem"),
    (Label::Passport, Both, "ho chieu, passport"),
    (Label::Passport, Cell, "hc, pp, so hc"),
    (Label::Licence, Both, "gplx, bang lai, giay phep lai xe, driving licence, driving license"),
    (Label::Licence, Cell, "driver license, driver licence, lai xe"),
    (Label::Tax, Both, "mst, ma so thue, tax code, tax number"),
    (Label::Tax, Cell, "ms thue, tax id, tin no, ma thue"),
    (Label::Phone, Both, "dien thoai, sdt, so dt, phone, di dong, tel, mobile"),
    (
        Label::Phone,
        Cell,
        "dt, dtdd, dd, cell phone, cellphone, zalo, lh, lien he, lien lac, hotline, so may, goi, alo, viber, \
         whatsapp, telephone, dienthoai, call me, call at, contact at, nhan tin, sodt, sodienthoai, so phone, so di dong, \
         may ban, phon",
    ),
    (Label::Bank, Both, "so tai khoan, stk, bank account, account number"),
    (
        Label::Bank,
        Cell,
        "tai khoan, tk, account, acc, acct, iban, so tk, chuyen khoan, ck, vietcombank, vcb, bidv, \
         vietinbank, agribank, techcombank, tcb, mbbank, mb, tpbank, acb, sacombank, vpbank, hdbank, shb, \
         momo, ngan hang",
    ),
    (
        Label::PaymentCard,
        Both,
        "the atm, so the atm, the tin dung, credit card, visa card, debit card",
    ),
    (
        Label::PaymentCard,
        Cell,
        "atm, visa, mastercard, napas, jcb, card no, card number, the ngan hang",
    ),
    (
        Label::Record,
        InHeader,
        "ma lk, ma bn, ma benh nhan, ma nguoi benh, ma hsba, ma yte, ma y te, so luu tru, so benh an, \
         ma benh an, so seri, ma lien ket, patient id, episode id, record id",
    ),
    (
        Label::Record,
        Cell,
        "ma lk, ma bn, ma benh nhan, ma nguoi benh, ma hsba, ma yte, ma y te, so luu tru, so benh an, \
         ma benh an, ma lien ket, patient id, episode id, record id, so vao vien, hsba, pid, mrn, ma ba, \
         so ba, ba so, ma dieu tri, medical record, ho so benh an, so bn, ma ho so benh an, benh an so, \
         benh nhan so, bn so, visit id, so ho so benh an, ma kham benh, ma luot kham",
    ),
    (
        Label::Officer,
        Cell,
        "cmsq, cmqd, so hieu, cand, chung minh quan doi, so hieu quan nhan, the nganh, cm cand, cmqn, \
         so quan, quan so, so hieu cong an, chung minh si quan",
    ),
    (
        Label::Practitioner,
        Both,
        "cchn, gphn, chung chi hanh nghe, giay phep hanh nghe, ma bac si, ma bs",
    ),
    (
        Label::CivilPaper,
        Both,
        "so ho khau, so hk, ho khau so, giay khai sinh, gks, giay chung sinh, khai sinh so",
    ),
    (Label::CivilPaper, Cell, "ho khau, khai sinh, chung sinh, household book, birth certificate"),
    (Label::Plate, Both, "bien so xe, bien kiem soat, bks, license plate, plate number"),
    (Label::Plate, Cell, "bien so, bsx, xe bien"),
    (Label::Birth, Both, "ngay sinh, sinh ngay, dob, date of birth, birth date, birthdate"),
    (
        Label::Birth,
        Cell,
        "sinh, ns, ngay thang nam sinh, nam sinh, birthday, born, born on, sn, ngaysinh, sinh nhat, n s, \
         sinh vao, sinh nam, d o b",
    ),
    (
        Label::Name,
        InHeader,
        "ho ten, ho va ten, hoten, ten benh nhan, ten nguoi benh, ten bs, ten bac si, ho ten cha, \
         ho ten me, patient full name, patient name, ten nnd, nguoi giam ho",
    ),
    (Label::Address, InHeader, "dia chi, noi cu tru, thuong tru, tam tru, noi o, home address"),
    (
        Label::Address,
        Cell,
        "dia chi, dc, cu tru, thuong tru, tam tru, ngu tai, address, que quan, tru tai",
    ),
    (Label::Account, Both, "email, e mail, thu dien tu, facebook, zalo"),
    (
        Label::Account,
        Cell,
        "fb, face, tiktok, instagram, insta, telegram, skype, twitter, nick, youtube, wechat, mail, \
         messenger, gmail, hom thu, username, viber, zalo id",
    ),
    (
        Label::Thing,
        Cell,
        "lo, so lo, lot, batch, serial, seri, so seri, model, ref, gtin, barcode, ma vach, sku, ma hang, \
         hoa don, cong van, quyet dinh, so dang ky, sdk, visa thuoc, loinc, atc, snomed, hop dong, \
         chung tu, ma may, so may may, ma thuoc, ma vat tu, ma dich vu, ma dv, phieu xuat, phieu nhap, \
         ma kho, ma lo, ean, upc, udi, doi, isbn, issn, part no, pn, version, phien ban, ma tai san, \
         ma thiet bi, hs code, ma hs, pmid, so lo sx, dan so, kinh phi, tong so, so luong",
    ),
];

struct Phrase {
    keys: Vec<Key>,
    label: Label,
    scope: Scope,
}

/// All phrases, by their first words.
static SORTED: LazyLock<Vec<Phrase>> = LazyLock::new(|| {
    let keys = |phrase: &str| -> Vec<Key> {
        phrase.split_whitespace().map(|word| Spelling::of(word).key).collect()
    };
    let mut all: Vec<Phrase> = PHRASES
        .iter()
        .flat_map(|(label, scope, phrases)| {
            phrases.split(',').map(|phrase| Phrase {
                keys: keys(phrase),
                label: *label,
                scope: *scope,
            })
        })
        .collect();
    all.sort_by_key(|phrase| phrase.keys[0]);
    all
});

/// The words with which a phrase begins, for the lexicon.
pub(crate) fn first_words() -> impl Iterator<Item = &'static str> {
    PHRASES
        .iter()
        .flat_map(|(_, _, phrases)| phrases.split(','))
        .filter_map(|phrase| phrase.split_whitespace().next())
}

/// A label in a text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Found {
    pub(crate) label: Label,
    /// First of its words.
    pub(crate) first: usize,
    /// First byte.
    pub(crate) start: usize,
    /// The byte after the last.
    pub(crate) end: usize,
}

/// All labels among the words of a cell; `flags` is what any of the words may be.
pub(crate) fn in_cell(words: &[Word], flags: Flags) -> Vec<Found> {
    if flags & LABEL == 0 { Vec::new() } else { found(words, Scope::Cell) }
}

/// All labels of a text.
pub(crate) fn in_cell_of(text: &str) -> Vec<Found> {
    let (words, flags) = split(text);
    in_cell(&words, flags)
}

/// All that a column's header announces.
pub(crate) fn in_header(words: &[Word]) -> Vec<Label> {
    found(words, Scope::Header).into_iter().map(|found| found.label).collect()
}

fn found(words: &[Word], place: Scope) -> Vec<Found> {
    let mut all = Vec::new();
    for (first, word) in words.iter().enumerate() {
        // Letters behind digits are part of a code.
        if word.any & LABEL == 0 || word.gap == Gap::None {
            continue;
        }
        let from = SORTED.partition_point(|phrase| phrase.keys[0] < word.key);
        for phrase in SORTED[from..].iter().take_while(|phrase| phrase.keys[0] == word.key) {
            let many = phrase.keys.len();
            let fits =
                (phrase.scope == Scope::Both || phrase.scope == place)
                    && words.len() >= first + many
                    && words[first..first + many].iter().zip(&phrase.keys).enumerate().all(
                        |(at, (word, key))| word.key == *key && (at == 0 || word.gap != Gap::Far),
                    );
            if fits {
                let end = words[first + many - 1].end;
                all.push(Found { label: phrase.label, first, start: word.start, end });
            }
        }
    }
    all
}
