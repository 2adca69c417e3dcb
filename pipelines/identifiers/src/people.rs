//! Names of persons and addresses in Vietnamese text.
//!
//! A name begins with a surname of a short list; what follows decides. In accented text in title
//! case (`Trần Thị Bình`) surname and two more capitalised words are enough, save for known places
//! and phrases. In capitals, and without accents, surnames are common words (`HO` is a cough, `DO`
//! "because of", `VO SINH` infertility, `NGO DOC` poisoning), so a middle or given name of the
//! lists is needed too, and phrases of medicine are excepted. In lower case only the middle names
//! `văn` and `thị` make a name.
//!
//! Words compare accented where both are accented: `Hở van` is a heart valve, `Hồ Văn` a man.

use std::collections::HashSet;
use std::sync::{Arc, LazyLock};

use super::text::{base_cased, base_letter, clean};

/// Surnames that seldom begin a capitalised phrase that is no name.
const SURNAMES: &str = "nguyễn trần lê phạm hoàng huỳnh phan vũ võ đặng bùi đỗ hồ ngô dương lý lí \
    đinh đoàn trịnh trương phùng quách nghiêm doãn khổng lò giàng thào sùng vừ hạng vương tạ lương \
    đào tống hứa triệu";
/// Of those, the ones that are words of medicine in capitals: bệnh *lý*, *dương* tính, *hồ* sơ.
const WORDS_IN_CAPITALS: &str = "lý lí dương hồ vương tạ lương đào tống hứa vừ hạng lò phan đoàn";
/// Surnames that are common words or begin the names of places.
const COMMON_SURNAMES: &str = "nông bàn mạc mai cao hà châu thái lâm chu la tô từ tăng kiều lưu lại diệp văn đàm \
    cù ninh thạch sơn danh kim phó quản tôn vi đồng lục trà bạch giang hầu viên mã mạnh thân khúc \
    đậu lều cung ngụy tiêu cầm quàng tòng hoa âu ông đường";
/// Accented surnames that are never another word, whatever the case.
const UNMISTAKABLE: &str = "nguyễn huỳnh trịnh đặng phùng quách";
const MIDDLE: &str = "văn thị hữu đình đức ngọc quốc xuân minh thanh thành thu kim hồng bảo gia anh \
    quang công như phương tuấn mạnh duy trọng bá đăng khánh nhật hoàng viết thế tiến trung mỹ bích \
    thúy thuý diệu hải việt phúc tấn chí nam đại khắc huy hùng thùy thuỳ tường cẩm tuyết lan mai hà \
    phước vĩnh tuệ an cao y a";
/// Middle names that remain telling in capitals without accents.
const TELLING_MIDDLE: &str = "văn thị hữu đình đức ngọc quốc xuân minh đăng khánh nhật";
const GIVEN: &str = "an anh ánh bình bích châu chi chiến cúc cường cương diễm diệp dũng dung duy duyên \
    đạt đông đức giang hà hải hằng hạnh hậu hiền hiếu hiệp hoa hòa hoà hoài hoàng hồng huệ hùng hưng \
    hương hường huy huyền khang khánh khoa khôi kiên lan lâm liên linh loan lộc long lợi luân mai \
    minh mỹ my nam nga ngân ngọc nguyên nguyệt nhân nhi nhung oanh phát phong phúc phương phượng quân \
    quang quý quyên quỳnh sang sáng sơn tâm tân thắng thanh thành thảo thi thịnh thơ thu thùy thuỳ \
    thủy thuỷ thúy thuý tiên tiến tín toàn trâm trang trí triết trinh trung trúc tú tuấn tùng tuyền \
    tuyết uyên vân việt vinh vũ vy xuân yến hợi tý dần thìn tỵ ngọ đào thoa tuyến thái chương";
/// Places and phrases in title case that begin like a name.
const NOT_NAMES: &str = "\
    cù lao, hồ chí minh, hồ sơ, hồ gươm, hồ tây, hồ bơi, hồ tiêu, lý do, lý lịch, lý sơn, lý thuyết, \
    lý nhân, lý trí, hoàng đản, hoàng điểm, hoàng thể, hoàng sa, hoàng mai, hoàng su, \
    hoàng hóa, hoàng hoá, hoàng liên, phan rang, phan thiết, phan rí, dương tính, dương vật, \
    dương kinh, dương minh châu, vũ khí, vũ thư, vũ quang, vũ lực, võ nhai, võ thuật, trần đề, \
    trần văn thời, lê chân, phạm vi, ngô quyền, thái bình, thái nguyên, thái lan, hà nội, \
    hà giang, hà nam, hà tĩnh, hà tây, hà đông, hà tiên, hà trung, hà quảng, cao bằng, \
    cao lãnh, cao lộc, cao phong, cao huyết, cao su, châu đốc, châu thành, châu phú, châu đức, \
    châu á, châu âu, châu phi, châu mỹ, lâm đồng, lâm hà, lâm thao, lâm sàng, mai châu, \
    mai sơn, sơn la, sơn tây, sơn động, sơn dương, sơn hòa, sơn trà, ninh bình, ninh thuận, \
    ninh hòa, ninh giang, ninh kiều, ninh phước, kim bảng, kim thành, kim động, kim sơn, \
    kim bôi, thạch thất, thạch hà, thạch thành, thạch an, đồng nai, đồng tháp, đồng hới, \
    đồng hỷ, đồng phú, đồng văn, đồng xoài, đồng xuân, lục nam, lục ngạn, lục yên, bạch thông, \
    bạch long, tăng huyết, thân nhiệt, kiều bào, giang mai, giang thành, mạc đĩnh chi, \
    lương sơn, lương tài, đào tạo, bàn chân, bàn tay, từ sơn, từ liêm, trà vinh, trà bồng, \
    trà cú, trà ôn, văn phòng, văn lâm, văn giang, văn yên, văn bàn, văn chấn, văn quan, \
    văn lãng, mã bệnh, mã thẻ, mã số, đoàn thể, đoàn kết, đường huyết, đường hô hấp, đường mật, \
    tôn đức thắng, triệu sơn, triệu phong, triệu chứng, vương quốc, vĩnh long, tiêu chảy, \
    tiêu hóa, tiêu hoá, danh mục, quản lý, la gi, lại giang, nông cống, nông nghiệp, nông thôn, \
    nông dân, vi khuẩn, vi sinh, vi rút, hoa kỳ, viên nang, viên nén, viên sủi, nguyễn huệ, \
    cung cấp, tổng hợp";
/// Phrases of medicine that look like names in capitals, or where accents are lost.
const PHRASES: &str = "\
    hở van hai lá, hở van ba lá, hở van 2, hở van 3, hở van động mạch, hở van tim, hở van nhĩ, \
    hở thành, do văn, do vận động, do van tim, do vận chuyển, do kim, do hồng cầu, do hóa, \
    do đức, do tiến triển, vỡ thành, vô sinh, võ thanh mạch, vỡ xương, vỡ ngọc, ngộ độc, \
    tràn dịch, tràn khí, tràn máu, trẫn cảm, bụi phổi, phản vệ, phản ứng, phẫn nộ, phân độ, \
    lỵ trực, ly thượng, lê dạng, nguyên nhân, nguyên phát, nguyên vọng, nguyên tắc, \
    nguyên liệu, nguyên vẹn, nguyên bào, nguyên chất, nguyên sinh, ho ra máu, ho kéo dài, \
    ho khan, ho gà, ho đờm, ho có, huỳnh quang gián, huỳnh quang cho, khổng lồ, nong van, huỳnh quang trực, huỳnh quang phát, \
    huỳnh quang trong, huỳnh quang tăng, vú trái, vú phải, dương huyết, đường huyết, lý do, \
    bàn chân đái, hoàng đản, nông thôn, đoạn chi, đoạn xa, đoạn gần, đình chỉ, định lượng, \
    định tính, la hét, lo âu, lò vi, chu kỳ, mai hoa, cao huyết, trương lực, tạ lỵ, lượng giá";

/// A syllable of at most eight letters, unaccented in lower case, as one number.
type Key = u64;

/// How the letters of a word stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Case {
    Title,
    Upper,
    Lower,
    Other,
}

/// A word of a text.
#[derive(Clone, Copy)]
pub(super) struct Word<'a> {
    text: &'a str,
    /// Zero for what is no syllable.
    key: Key,
    case: Case,
    /// Whether it joins the word before it: one space, hyphen, point or underscore between.
    joined: bool,
}

/// How two syllables compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Accents {
    /// The text is accented: letters and marks must be the same.
    Same,
    /// The text has none: the letters must be the same.
    Without,
}

impl Word<'_> {
    /// Whether it is this syllable: with the same accents, or without any.
    fn is(&self, accented: &str) -> bool {
        let accents = if self.text.is_ascii() { Accents::Without } else { Accents::Same };
        self.key == key_of(accented) && self.equals(accented, accents)
    }

    /// The same for a syllable of equal key.
    fn equals(&self, accented: &str, accents: Accents) -> bool {
        accents == Accents::Without
            || self.text.chars().flat_map(char::to_lowercase).eq(accented.chars())
    }
}

/// Syllables of a list by key, to be found without an allocation.
struct Syllables(Vec<(Key, &'static str)>);

impl Syllables {
    fn of(list: &'static str) -> Self {
        let mut all: Vec<_> = list.split_whitespace().map(|one| (key_of(one), one)).collect();
        all.sort_unstable();
        Self(all)
    }

    fn has(&self, word: &Word<'_>, accents: Accents) -> bool {
        let from = self.0.partition_point(|(key, _)| *key < word.key);
        word.key != 0
            && self.0[from..]
                .iter()
                .take_while(|(key, _)| *key == word.key)
                .any(|(_, syllable)| word.equals(syllable, accents))
    }
}

struct Lists {
    surnames: Syllables,
    common: Syllables,
    unmistakable: Syllables,
    words_in_capitals: Syllables,
    middle: Syllables,
    telling: Syllables,
    given: Syllables,
    not_names: AllowList,
    phrases: AllowList,
}

static LISTS: LazyLock<Lists> = LazyLock::new(|| Lists {
    surnames: Syllables::of(SURNAMES),
    common: Syllables::of(COMMON_SURNAMES),
    unmistakable: Syllables::of(UNMISTAKABLE),
    words_in_capitals: Syllables::of(WORDS_IN_CAPITALS),
    middle: Syllables::of(MIDDLE),
    telling: Syllables::of(TELLING_MIDDLE),
    given: Syllables::of(GIVEN),
    not_names: AllowList::new(NOT_NAMES.split(',')),
    phrases: AllowList::new(PHRASES.split(',')),
});

/// Names of places, facilities and the like that look like names of persons: provinces, communes,
/// hospitals and streets. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct AllowList {
    phrases: Arc<HashSet<Vec<String>>>,
}

impl AllowList {
    /// A list of phrases, in any case, accented; a cell may have them accented or not.
    pub fn new<'a>(phrases: impl IntoIterator<Item = &'a str>) -> Self {
        let split = |phrase: &str| -> Vec<String> {
            let lower = clean(phrase).to_lowercase();
            let words = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
            words.map(str::to_owned).collect()
        };
        let mut all = HashSet::new();
        for words in phrases.into_iter().map(split).filter(|words| !words.is_empty()) {
            all.insert(words.iter().map(|word| unaccented(word)).collect());
            all.insert(words);
        }
        Self { phrases: Arc::new(all) }
    }

    /// How many of the words a phrase of the list covers, from the first.
    fn covers(&self, words: &[Word<'_>]) -> Option<usize> {
        if self.phrases.is_empty() {
            return None;
        }
        let mut start: Vec<String> = Vec::with_capacity(6);
        for (at, word) in words.iter().take(6).enumerate() {
            if at > 0 && !word.joined {
                break;
            }
            start.push(word.text.to_lowercase());
            if self.phrases.contains(&start) {
                return Some(at + 1);
            }
        }
        None
    }
}

/// Whether the words hold a person's name.
pub(super) fn holds_name(words: &[Word<'_>], allowed: &AllowList) -> bool {
    let mut at = 0;
    while at + 1 < words.len() {
        match name_at(words, at, allowed) {
            Match::Name => return true,
            Match::Nothing => at += 1,
            Match::Known(words) => at += words,
        }
    }
    false
}

enum Match {
    Name,
    Nothing,
    Known(usize),
}

fn name_at(words: &[Word<'_>], at: usize, allowed: &AllowList) -> Match {
    let (word, next) = (&words[at], &words[at + 1]);
    if !next.joined || next.key == 0 || word.key == 0 || word.case == Case::Other {
        return Match::Nothing;
    }
    if word.case == Case::Lower && !matches!(next.key, VAN | THI) {
        return Match::Nothing;
    }
    let lists = &*LISTS;
    let rest = &words[at..];
    let accents = accents_of(rest);
    let usual = lists.surnames.has(word, accents);
    if !usual && !lists.common.has(word, accents) {
        return Match::Nothing;
    }
    if at > 0 && word.joined && names_a_place(&words[at - 1]) {
        return Match::Nothing;
    }
    // What follows in the same case; a single capital stands for a name too ("Nguyễn Văn A").
    let alike = |other: &Word<'_>| {
        let initial =
            other.case == Case::Upper && word.case == Case::Title && other.text.len() <= 2;
        other.joined && other.key != 0 && (other.case == word.case || initial)
    };
    for list in [&lists.not_names, allowed] {
        if let Some(words) = list.covers(rest) {
            return Match::Known(words);
        }
    }
    if word.case != Case::Title
        && let Some(words) = lists.phrases.covers(rest)
    {
        return Match::Known(words);
    }
    let count = rest[1..].iter().take(4).take_while(|other| alike(other)).count();
    let follow = &rest[1..=count];
    let alone = at == 0 && words.len() == count + 1;
    let is_name = match word.case {
        Case::Title => in_title_case(word, usual, follow, accents),
        Case::Upper if usual => in_capitals(word, follow, accents, alone),
        Case::Upper => is_common_in_capitals(follow, accents),
        Case::Lower => usual && in_lower_case(follow, accents),
        Case::Other => false,
    };
    if is_name { Match::Name } else { Match::Nothing }
}

/// Whether a name after this word is a place's: communes and streets are called after persons.
/// Without accents these words are names themselves (`Phuong`, `Duong`).
fn names_a_place(before: &Word<'_>) -> bool {
    const PLACES: [&str; 8] = ["phường", "xã", "quận", "huyện", "tỉnh", "đường", "phố", "trấn"];
    !before.text.is_ascii() && PLACES.iter().any(|place| before.equals(place, Accents::Same))
}

/// Surnames that are no other word even without accents.
const UNMISTAKABLE_BARE: [Key; 2] = [pack(b"nguyen"), pack(b"huynh")];

/// Whether the surname alone makes a name of what follows it.
fn is_unmistakable(surname: &Word<'_>, accents: Accents) -> bool {
    match accents {
        Accents::Same => LISTS.unmistakable.has(surname, accents),
        Accents::Without => UNMISTAKABLE_BARE.contains(&surname.key),
    }
}

/// Text is taken as unaccented where three words in a row are, and behind a surname that is no
/// other word ("Nguyen Văn A").
fn accents_of(rest: &[Word<'_>]) -> Accents {
    let bare = |word: &Word<'_>| word.text.is_ascii();
    let start = bare(&rest[0]) && UNMISTAKABLE_BARE.contains(&rest[0].key);
    let all =
        rest.iter().take(3).take_while(|word| word.joined || word.text == rest[0].text).all(bare);
    if start || all { Accents::Without } else { Accents::Same }
}

fn in_title_case(surname: &Word<'_>, usual: bool, follow: &[Word<'_>], accents: Accents) -> bool {
    let lists = &*LISTS;
    let (first, second) = match follow {
        [] => return false,
        [only] => return usual && lists.given.has(only, accents),
        [first, second, ..] => (first, second),
    };
    // Without accents a firm's name in English has the same look.
    let certain = usual && (accents == Accents::Same || is_unmistakable(surname, accents));
    certain || lists.middle.has(first, accents) || lists.given.has(second, accents)
}

fn in_capitals(surname: &Word<'_>, follow: &[Word<'_>], accents: Accents, alone: bool) -> bool {
    let lists = &*LISTS;
    let given = |word: Option<&Word<'_>>| word.is_some_and(|word| lists.given.has(word, accents));
    let [first, second, ..] = follow else { return alone && given(follow.first()) };
    if is_unmistakable(surname, accents) || lists.telling.has(first, accents) {
        return true;
    }
    if accents == Accents::Without {
        return alone && follow.len() <= 3 && given(follow.last());
    }
    let likely = lists.middle.has(first, accents) || given(Some(second)) || given(follow.get(2));
    likely && (alone || !lists.words_in_capitals.has(surname, accents))
}

/// After a surname that is a common word, middle and given name must both be telling.
fn is_common_in_capitals(follow: &[Word<'_>], accents: Accents) -> bool {
    let [first, second, ..] = follow else { return false };
    LISTS.telling.has(first, accents) && LISTS.given.has(second, accents)
}

fn in_lower_case(follow: &[Word<'_>], accents: Accents) -> bool {
    let [first, second, ..] = follow else { return false };
    is_plain_middle(first, accents) && LISTS.given.has(second, accents)
}

/// `văn` or `thị`.
fn is_plain_middle(word: &Word<'_>, accents: Accents) -> bool {
    let syllable = if word.key == VAN { "văn" } else { "thị" };
    matches!(word.key, VAN | THI) && word.equals(syllable, accents)
}

/// Whether a cell under a header of names, or one that is about to be shown, could be a name:
/// two to seven words that are all letters and begin with capitals, or a name in any text.
pub(super) fn could_be_name(text: &str) -> bool {
    let words = split(text);
    let capital = |word: &Word<'_>| matches!(word.case, Case::Title | Case::Upper);
    let all =
        (2..=7).contains(&words.len()) && words.iter().all(|word| word.key != 0 && capital(word));
    all || holds_name(&words, &AllowList::default())
}

/// Whether the words name a house or a hamlet.
pub(super) fn holds_address(words: &[Word<'_>]) -> bool {
    (0..words.len().saturating_sub(1)).any(|at| {
        let rest = &words[at..];
        match rest[0].key {
            ALLEY | LANE | SIDE_LANE | CUL_DE_SAC => {
                let marker = ["ngõ", "ngách", "hẻm", "kiệt"].iter().any(|one| rest[0].is(one));
                marker && numbered(rest.get(1))
            }
            HAMLET | QUARTER | VILLAGE => {
                let marker = ["thôn", "xóm", "ấp"].iter().any(|one| rest[0].is(one));
                // In capitals every word begins like a name, so the marker must come first.
                let first = rest[0].case != Case::Upper || at == 0;
                let accented = !rest[0].text.is_ascii();
                marker && (numbered(rest.get(1)) || accented && first && named(rest.get(1)))
            }
            NUMBER => begins(rest, &["số", "nhà"]) && follows(rest.get(2)),
            AREA => begins(rest, &["khu", "phố"]) && follows(rest.get(2)),
            GROUP => begins(rest, &["tổ", "dân", "phố"]) && follows(rest.get(3)),
            _ => false,
        }
    })
}

const ALLEY: Key = pack(b"ngo");
const LANE: Key = pack(b"ngach");
const SIDE_LANE: Key = pack(b"hem");
const CUL_DE_SAC: Key = pack(b"kiet");
const HAMLET: Key = pack(b"thon");
const QUARTER: Key = pack(b"xom");
const VILLAGE: Key = pack(b"ap");
const NUMBER: Key = pack(b"so");
const AREA: Key = pack(b"khu");
const GROUP: Key = pack(b"to");
const VAN: Key = pack(b"van");
const THI: Key = pack(b"thi");

fn begins(words: &[Word<'_>], phrase: &[&str]) -> bool {
    words.len() >= phrase.len() && words.iter().zip(phrase).all(|(word, one)| word.is(one))
}

fn numbered(word: Option<&Word<'_>>) -> bool {
    word.is_some_and(|word| word.text.as_bytes()[0].is_ascii_digit())
}

fn named(word: Option<&Word<'_>>) -> bool {
    word.is_some_and(|word| word.joined && matches!(word.case, Case::Title | Case::Upper))
}

fn follows(word: Option<&Word<'_>>) -> bool {
    numbered(word) || named(word)
}

/// The words of a clean text.
pub(super) fn split(text: &str) -> Vec<Word<'_>> {
    let mut words = Vec::with_capacity(text.len() / 5 + 1);
    let mut end = None;
    let mut rest = text.char_indices().peekable();
    while let Some(&(start, first)) = rest.peek() {
        if !first.is_alphanumeric() {
            rest.next();
            continue;
        }
        let mut shape = Shape::default();
        let mut stop = start;
        while let Some((at, c)) =
            rest.next_if(|(_, c)| c.is_ascii_alphanumeric() || c.is_alphanumeric())
        {
            shape.add(c);
            stop = at + c.len_utf8();
        }
        let joined = end.is_some_and(|end: usize| joins(&text[end..start]));
        words.push(Word { text: &text[start..stop], key: shape.key(), case: shape.case(), joined });
        end = Some(stop);
    }
    words
}

/// What the letters of a word amount to, one after the other.
#[derive(Default)]
struct Shape {
    key: Key,
    length: u32,
    upper: u32,
    begins_upper: bool,
    other: bool,
}

impl Shape {
    fn add(&mut self, c: char) {
        if let Some(letter) = base_cased(c) {
            let upper = letter.is_ascii_uppercase();
            self.begins_upper |= upper && self.length == 0;
            self.upper += u32::from(upper);
            self.key = self.key << 8 | u64::from(letter.to_ascii_lowercase());
        } else {
            self.other = true;
        }
        self.length += 1;
    }

    fn key(&self) -> Key {
        if self.other || self.length > 8 { 0 } else { self.key }
    }

    fn case(&self) -> Case {
        match (self.begins_upper, self.upper) {
            _ if self.other => Case::Other,
            (true, upper) if upper == self.length => Case::Upper,
            (true, 1) => Case::Title,
            (false, 0) => Case::Lower,
            _ => Case::Other,
        }
    }
}

const fn pack(letters: &[u8]) -> Key {
    let mut key = 0;
    let mut at = 0;
    while at < letters.len() {
        key = key << 8 | letters[at] as u64;
        at += 1;
    }
    key
}

fn joins(between: &str) -> bool {
    matches!(between, "_" | "-" | ".") || between.bytes().all(|byte| byte.is_ascii_whitespace())
}

fn key_of(text: &str) -> Key {
    let mut key = 0;
    for (at, c) in text.chars().enumerate() {
        let Some(letter) = base_letter(c).filter(|_| at < 8) else { return 0 };
        key = key << 8 | u64::from(letter);
    }
    key
}

fn unaccented(word: &str) -> String {
    word.chars().map(|c| base_letter(c).map_or(c, char::from)).collect()
}
