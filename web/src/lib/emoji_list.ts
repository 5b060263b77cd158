/** Emojis people send most, by group, with words to find them by in English and Malay. Loaded with the picker only. */
export interface Emoji {
  char: string;
  words: string;
}

export type EmojiGroup = 'faces' | 'people' | 'nature' | 'food' | 'things' | 'signs';

function group(text: string): Emoji[] {
  return text
    .trim()
    .split('\n')
    .map((line) => {
      const [char = '', ...words] = line.trim().split(' ');
      return { char, words: words.join(' ') };
    });
}

export const EMOJIS: Record<EmojiGroup, Emoji[]> = {
  faces: group(`
    😀 grin happy senyum gembira
    😃 smile happy senyum gembira
    😄 smile laugh senyum ketawa
    😁 grin teeth sengih
    😆 laugh ketawa gelak
    😅 sweat laugh peluh lega
    😂 tears joy laugh lol ketawa gelak
    🤣 rolling laugh lol gelak guling
    😊 blush smile malu senyum
    😇 angel halo malaikat baik
    🙂 slight smile senyum
    🙃 upside down terbalik
    😉 wink kenyit
    😌 relieved calm lega tenang
    😍 love heart eyes cinta sayang
    🥰 love hearts cinta sayang
    😘 kiss love cium
    😋 yum tasty sedap
    😜 tongue wink lidah
    🤪 crazy silly gila
    🤗 hug peluk
    🤭 oops giggle alamak
    🤫 quiet hush senyap
    🤔 think hmm fikir
    🫡 salute hormat tabik
    🤐 zip mouth diam
    😐 neutral biasa
    😑 blank kosong
    😏 smirk sinis
    🙄 roll eyes bosan
    😬 grimace awkward kekok
    😴 sleep tidur
    😷 mask sick sakit pelitup
    🤒 sick fever demam sakit
    🤕 hurt injured cedera
    🤢 sick nausea loya
    🤮 vomit muntah
    🤧 sneeze selsema bersin
    🥵 hot panas
    🥶 cold sejuk
    🤯 mind blown terkejut hebat
    🥳 party celebrate raya pesta
    😎 cool sunglasses bergaya
    🤓 nerd pandai
    😕 confused keliru
    😟 worried risau
    🙁 sad sedih
    😮 wow surprised terkejut
    😲 shocked terkejut
    😳 flushed embarrassed malu
    🥺 please puppy merayu tolong
    😢 cry sad sedih menangis
    😭 sob cry menangis raung
    😱 scream scared takut jerit
    😤 huff angry geram
    😡 angry mad marah
    🤬 swear marah maki
    😈 devil nakal
    💀 skull dead mati tengkorak
    💩 poo tahi
    🤡 clown badut
    👻 ghost hantu
    👽 alien makhluk asing
    🤖 robot`),
  people: group(`
    👍 thumbs up yes ok good bagus baik ya
    👎 thumbs down no bad tidak teruk
    👌 ok perfect sempurna
    🤝 handshake deal setuju jabat salam
    🙏 please thanks pray terima kasih tolong doa
    👏 clap bravo tepuk tahniah
    🙌 hooray hands hore
    👋 hi hello bye wave hai selamat
    🤚 hand stop tangan
    ✋ hand stop tangan berhenti
    ✌️ peace victory aman
    🤞 luck fingers crossed semoga
    🤟 love you sayang
    🤙 call me telefon
    👈 left kiri
    👉 right kanan
    👆 up atas
    👇 down bawah
    ☝️ one up satu
    ✊ fist tumbuk
    💪 strong muscle kuat
    🖐️ hand five tangan
    ✍️ write tulis
    🤲 pray palms doa tadah
    🫶 heart hands sayang
    👀 eyes look tengok mata
    🗣️ speak cakap
    👤 person orang
    👥 people orang ramai
    👨‍👩‍👧‍👦 family keluarga
    👶 baby bayi
    👩 woman perempuan wanita
    👨 man lelaki
    🧕 hijab tudung
    👳 turban serban
    🤷 shrug entah
    🤦 facepalm aduh
    🙋 raise hand question tanya
    💁 info help bantu
    🏃 run lari
    💃 dance tari
    🕌 mosque masjid`),
  nature: group(`
    🌞 sun hot matahari panas
    🌙 moon night bulan malam
    ⭐ star bintang
    🌟 star glow bintang
    ✨ sparkles new kilau baru
    ⚡ lightning fast kilat pantas
    🔥 fire hot lit api hangat
    💧 water drop air
    🌧️ rain hujan
    🌈 rainbow pelangi
    🌊 wave sea laut ombak
    🌹 rose flower bunga ros
    🌺 hibiscus flower bunga raya
    🌸 blossom flower bunga
    🌻 sunflower bunga matahari
    🌴 palm pokok kelapa
    🌱 seedling plant tunas pokok
    🍀 clover luck tuah
    🐱 cat kucing
    🐶 dog anjing
    🐔 chicken ayam
    🐟 fish ikan
    🐢 turtle penyu
    🦋 butterfly rama-rama
    🐝 bee lebah
    🐯 tiger harimau`),
  food: group(`
    🍎 apple epal
    🍌 banana pisang
    🍉 watermelon tembikai
    🥭 mango mangga
    🍍 pineapple nanas
    🥥 coconut kelapa
    🌶️ chilli pedas cili
    🍚 rice nasi
    🍛 curry kari
    🍜 noodles mi mee
    🍲 stew sup
    🍗 chicken ayam
    🍢 satay sate
    🍕 pizza
    🍔 burger
    🍟 fries kentang
    🍞 bread roti
    🥚 egg telur
    🍰 cake kek
    🎂 birthday cake kek hari jadi
    🍪 cookie biskut
    🍫 chocolate coklat
    🍦 ice cream aiskrim
    ☕ coffee tea kopi teh
    🍵 tea teh
    🧋 bubble tea teh boba
    🥤 drink minuman
    🍽️ eat plate makan`),
  things: group(`
    📞 phone call telefon
    📱 mobile phone telefon
    💻 laptop komputer
    📷 camera photo kamera gambar
    🎥 video film
    🎤 microphone mikrofon
    🎧 headphones fon telinga
    📧 mail e-mel
    📦 parcel box bungkusan kotak
    🚚 delivery truck lori hantar penghantaran
    🛒 cart shop troli beli
    🛍️ shopping bag beli belah
    💰 money bag wang duit
    💵 money cash wang tunai duit
    💳 card pay kad bayar
    🧾 receipt resit
    🏦 bank
    🏠 home house rumah
    🏢 office pejabat
    🏪 shop kedai
    🚗 car kereta
    🏍️ motorbike motosikal
    ✈️ plane flight kapal terbang
    📍 place pin lokasi tempat
    📅 date calendar tarikh kalendar
    ⏰ alarm time masa jam
    ⏳ wait time tunggu
    📌 pin
    📎 clip attachment klip
    📄 document dokumen
    📊 chart graph carta
    🔑 key kunci
    🔒 lock kunci
    💡 idea light idea lampu
    🔧 tool fix baiki
    💊 medicine ubat
    🎁 gift present hadiah
    🎈 balloon belon
    🎉 party celebrate tahniah raya
    🏆 trophy win menang piala
    ⚽ football bola sepak
    🏸 badminton
    🎵 music muzik lagu
    🇲🇾 malaysia flag bendera
    🇸🇬 singapore flag bendera
    🇮🇩 indonesia flag bendera`),
  signs: group(`
    ❤️ heart love red hati cinta sayang
    🧡 heart orange hati
    💛 heart yellow hati
    💚 heart green hati
    💙 heart blue hati
    💜 heart purple hati
    🖤 heart black hati
    🤍 heart white hati
    💔 broken heart patah hati
    💕 hearts love cinta
    💯 hundred perfect seratus
    ✅ check done yes siap betul
    ☑️ check tick tanda
    ✔️ check tick betul
    ❌ cross no wrong salah tidak
    ❗ important exclamation penting
    ❓ question soalan tanya
    ⚠️ warning amaran
    🚫 forbidden no dilarang
    🆗 ok
    🆕 new baru
    🆓 free percuma
    🔴 red merah
    🟢 green hijau
    🔵 blue biru
    🟡 yellow kuning
    ➡️ right kanan
    ⬅️ left kiri
    ⬆️ up atas
    ⬇️ down bawah
    ♻️ recycle kitar
    💬 chat message mesej
    💭 thought fikir
    🔔 bell notify loceng
    🔕 mute bell senyap`),
};

/** Those found by any word that begins so; all groups when nothing is searched. */
export function findEmojis(search: string): Emoji[] {
  const wanted = search.trim().toLowerCase();
  const all = Object.values(EMOJIS).flat();
  if (wanted === '') return all;
  return all.filter((one) => one.char === wanted || one.words.split(' ').some((word) => word.startsWith(wanted)));
}
