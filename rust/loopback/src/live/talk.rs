//! What live contacts say: small talk of customers with a shop, in Malay and English as it is mixed in Malaysia.
//!
//! A talk is a thread with turns. An answer of the line moves it on; some words are answered for themselves.

use super::chance::Chance;

/// One message to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub text: String,
    /// Which picture goes with it.
    pub picture: Option<u64>,
}

/// How a thread goes: each turn in a few wordings; `@` before one sends a picture with it.
type Thread = &'static [&'static [&'static str]];

const THREADS: &[Thread] = &[
    &[
        &["Salam, {product} masih ada stok?", "Hi, is the {product} still available?", "Boss, {product} ada lagi tak?"],
        &["Berapa harga untuk {n} unit?", "How much if I take {n}?", "{n} unit boleh dapat harga ejen?"],
        &["Ok boleh. Nak {n} ya, hantar ke {area}", "Ok deal. {n} units please, deliver to {area}"],
        &["Saya transfer sekarang, kejap ya", "Will do the transfer in a while"],
        &["@Dah bayar, ini resit", "@Paid, receipt attached"],
        &["Terima kasih, tunggu tracking number ya", "Thanks! Please send me the tracking number"],
    ],
    &[
        &["Hi, can I book an appointment on {day}?", "Assalamualaikum, nak buat temujanji hari {day} boleh?"],
        &["Around {time} is ok?", "Pukul {time} ada kosong tak?"],
        &["Untuk dua orang ya, saya dan adik saya", "It will be for two people, me and my sister"],
        &["Alamat yang dekat {area} tu kan?", "That is the {area} branch, right?"],
        &["Noted, see you then", "Ok set, jumpa nanti"],
    ],
    &[
        &["Order saya nombor {order} dah sampai mana?", "Any update on order {order}?"],
        &["Dalam sistem tulis 'in transit' dari {day}", "The tracking has not moved since {day}"],
        &["Saya perlu sebelum hujung minggu, tolong tengokkan", "I need it before the weekend, please help check"],
        &["Ok terima kasih sebab cepat balas", "Great, thanks for the quick help"],
    ],
    &[
        &["@Nak yang macam ni, ada?", "@Do you have something like this?", "@Yang ini berapa ringgit?"],
        &["Warna lain ada?", "Any other colours?"],
        &["Saiz L ada tak", "Do you carry it in size L?"],
        &["Kalau ambil dua boleh kurang sikit?", "Any discount if I take two?"],
        &["Ok saya fikir dulu, nanti roger balik", "Let me think about it and come back to you"],
    ],
    &[
        &["Hi, saya jumpa nombor ni di Facebook. Boleh hantar katalog?", "Hello, could you send me your price list?"],
        &["Yang paling laku yang mana ya?", "Which one is your best seller?"],
        &["{product} RM {price} tu dah termasuk penghantaran?", "Is the RM {price} including postage?"],
        &["COD boleh ke ke {area}?", "Do you do cash on delivery to {area}?"],
        &["Baik, nanti saya bincang dengan isteri dulu", "Ok, let me check with my wife first"],
    ],
    &[
        &["@Barang sampai tapi kotak penyek sikit", "@It arrived but the box is dented"],
        &["Isi dalam ok, cuma satu bocor", "The content is fine, only one is leaking"],
        &["Boleh tukar yang baru?", "Can I exchange that one?"],
        &["Saya duduk {area}, runner boleh ambil?", "I am in {area}, can someone pick it up?"],
        &["Terbaik servis, terima kasih", "Very good service, thank you"],
    ],
    &[
        &["Selamat pagi! Hari ni buka sampai pukul berapa?", "Good morning, what time do you close today?"],
        &["Parking senang tak situ?", "Is it easy to park there?"],
        &["Ok saya sampai dalam {time}", "I should be there around {time}"],
        &["@Dah sampai depan kedai", "@I am outside now"],
    ],
    &[
        &["Saya nak jadi ejen, macam mana caranya?", "How do I become a reseller?"],
        &["Modal permulaan berapa?", "How much is the starting package?"],
        &["Dapat sampel tak dalam pakej RM {price}?", "Does the RM {price} package come with samples?"],
        &["Kawasan {area} dah ada ejen belum?", "Do you have anyone in {area} already?"],
        &["Ok saya berminat, hantar borang boleh?", "I am interested, please send me the form"],
    ],
    &[
        &["Quotation untuk {n} set {product} boleh?", "Could I get a quotation for {n} sets of {product}?"],
        &["Company punya, perlukan invois ya", "It is for our office, we will need an invoice"],
        &["Boleh hantar hari {day}?", "Can you deliver on {day}?"],
        &["Bos saya dah setuju, proceed", "My boss approved it, please go ahead"],
        &["Payment lepas barang sampai, 14 hari ok?", "14 days terms, is that fine?"],
    ],
    &[
        &["Malam tadi cuba {product}, memang sedap!", "Tried the {product} last night, love it!"],
        &["@Ni anak saya pun suka", "@Even my kids like it"],
        &["Nak repeat {n} lagi", "I want to repeat, {n} more please"],
        &["Guna alamat lama ya", "Same address as before"],
    ],
];

const GROUP_LINES: &[&str] = &[
    "Morning semua",
    "Harga {product} hari ni RM {price} ya",
    "Siapa ada stok {product}? Customer saya tunggu",
    "Sales saya semalam {n} unit je, sunyi",
    "@Display baru dekat {area}",
    "Meeting {day} pukul {time}, jangan lupa",
    "Postage ke Sabah naik lagi ke?",
    "Noted, thanks",
    "@Customer baru post, cantik packaging",
    "Ada sesiapa free jaga booth hari {day}?",
    "Boleh share poster raya?",
    "Alhamdulillah, {n} order masuk pagi ni",
];

/// Said when a word of the line asks for it: what it contains, and answers.
const ANSWERS: &[(&[&str], &[&str])] = &[
    (
        &["rm ", "rm1", "rm2", "rm5", "ringgit", "price", "harga"],
        &["Ok harga tu boleh", "Boleh kurang sikit tak?", "Alright, that works for me", "Mahal sikit, tapi ok lah"],
    ),
    (&["thank", "terima kasih", "tq"], &["Sama-sama", "Welcome!", "Most welcome, nanti order lagi"]),
    (&["sorry", "maaf"], &["Tak apa, faham", "No worries", "It's ok, take your time"]),
    (
        &["habis", "sold out", "out of stock", "tiada stok"],
        &["Alamak, bila restock?", "Ok nanti dah ada tolong inform ya", "Too bad, please let me know when it is back"],
    ),
    (&["alamat", "address"], &["Jalan Kenanga 3/5, {area}", "No 12, Lorong Damai, {area} ya"]),
    (&["pukul", "what time", "bila"], &["{day} pukul {time} boleh?", "Anytime after {time} is fine"]),
    (&["http", "www.", "katalog", "catalog"], &["Ok saya tengok dulu", "Thanks, having a look now"]),
];

const PICTURE_ANSWERS: &[&str] =
    &["Cantik!", "Wah menarik, berapa harga?", "Nice, I like the second one", "Ok dah nampak, tq"];
const SMALL_ANSWERS: &[&str] =
    &["Ok noted", "Baik, terima kasih", "Ok boleh", "Alright, thank you", "Ok nanti saya confirm balik", "Hmm ok"];

const PRODUCTS: &[&str] = &[
    "sambal nyet",
    "kopi ginseng",
    "serum vitamin C",
    "tudung bawal",
    "kerepek pisang",
    "madu kelulut",
    "lip matte",
    "beg tote",
    "susu kurma",
    "set pinggan",
    "minyak zaitun",
    "botol air 1L",
    "diffuser",
    "kek batik",
];
const AREAS: &[&str] = &[
    "Shah Alam",
    "Bangsar",
    "Johor Bahru",
    "Ipoh",
    "Klang",
    "Penang",
    "Kota Bharu",
    "Kajang",
    "Melaka",
    "Cheras",
    "Kuantan",
    "Subang Jaya",
];
const DAYS: &[&str] = &["Isnin", "Selasa", "Rabu", "Khamis", "Jumaat", "Sabtu", "Ahad", "Friday", "Saturday"];
const TIMES: &[&str] = &["10.30", "11 pagi", "2 petang", "3.15pm", "4.30", "5 petang", "8 malam"];

/// Where a contact is with a line.
#[derive(Default)]
pub struct Talk {
    thread: Option<(usize, usize)>,
    /// An answer is on its way.
    answering: bool,
}

impl Talk {
    /// Whether no answer is on its way; one is from now on.
    pub fn is_free_to_answer(&mut self) -> bool {
        !std::mem::replace(&mut self.answering, true)
    }

    /// The next turn, without being answered; a new thread after the last.
    pub fn go_on(&mut self, chance: &mut Chance) -> Line {
        let (thread, turn) = match self.thread {
            Some((thread, turn)) if turn < THREADS[thread].len() => (thread, turn),
            _ => (chance.below(THREADS.len() as u64) as usize, 0),
        };
        self.thread = Some((thread, turn + 1));
        fill(chance.one_of(THREADS[thread][turn]), chance)
    }

    /// What to say to a message of this kind (`text`, `image`, …) and text.
    pub fn answer(&mut self, kind: &str, text: &str, chance: &mut Chance) -> Line {
        self.answering = false;
        if kind == "image" && chance.below(3) > 0 {
            return fill(chance.one_of(PICTURE_ANSWERS), chance);
        }
        let text = text.to_lowercase();
        let known = ANSWERS.iter().find(|(words, _)| words.iter().any(|word| text.contains(word)));
        match known {
            Some((_, answers)) if chance.below(2) == 0 => fill(chance.one_of(answers), chance),
            _ if self.thread.is_some_and(|(thread, turn)| turn < THREADS[thread].len()) => self.go_on(chance),
            _ => fill(chance.one_of(SMALL_ANSWERS), chance),
        }
    }
}

/// Something to say in a group.
pub fn to_group(chance: &mut Chance) -> Line {
    fill(chance.one_of(GROUP_LINES), chance)
}

fn fill(wording: &str, chance: &mut Chance) -> Line {
    let picture = wording.starts_with('@').then(|| chance.below(1 << 20));
    let text = wording
        .trim_start_matches('@')
        .replace("{product}", chance.one_of(PRODUCTS))
        .replace("{area}", chance.one_of(AREAS))
        .replace("{day}", chance.one_of(DAYS))
        .replace("{time}", chance.one_of(TIMES))
        .replace("{n}", &(2 + chance.below(29)).to_string())
        .replace("{price}", &(9 + 5 * chance.below(40)).to_string())
        .replace("{order}", &format!("WF{}", 20_000 + chance.below(9_999)));
    Line { text, picture }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wording_can_be_filled() {
        let mut chance = Chance::new(3);
        let threads = THREADS.iter().flat_map(|thread| thread.iter()).flat_map(|turn| turn.iter());
        let answers = ANSWERS.iter().flat_map(|(_, answers)| answers.iter());
        for wording in threads.chain(answers).chain(GROUP_LINES).chain(PICTURE_ANSWERS).chain(SMALL_ANSWERS) {
            let line = fill(wording, &mut chance);
            assert!(!line.text.contains(['{', '}', '@']), "{wording} became {}", line.text);
            assert_eq!(line.picture.is_some(), wording.starts_with('@'));
        }
    }

    #[test]
    fn a_thread_goes_on_turn_by_turn_and_then_another_begins() {
        let (mut talk, mut chance) = (Talk::default(), Chance::new(9));
        talk.go_on(&mut chance);
        let (thread, turn) = talk.thread.unwrap();
        assert_eq!(turn, 1);
        (1..THREADS[thread].len()).for_each(|_| drop(talk.go_on(&mut chance)));
        assert_eq!(talk.thread, Some((thread, THREADS[thread].len())));
        talk.go_on(&mut chance);
        assert_eq!(talk.thread.unwrap().1, 1);
    }

    #[test]
    fn only_one_answer_is_on_its_way() {
        let (mut talk, mut chance) = (Talk::default(), Chance::new(9));
        assert!(talk.is_free_to_answer() && !talk.is_free_to_answer());
        assert!(!talk.answer("text", "harga RM 20", &mut chance).text.is_empty());
        assert!(talk.is_free_to_answer());
    }
}
