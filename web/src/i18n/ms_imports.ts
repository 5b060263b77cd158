/** Why a file that is imported, or a row of it, is not taken in, in Malay. `{value}` is what stands in the cell. */
import type { ImportCause } from '../api/types';

const TO_DO = 'Simpan sebagai CSV atau buku kerja Excel, kemudian import semula.';
const WAY_OUT = 'Tulis dengan kod negara, seperti +60 12-345 6789.';

export const msImports: Readonly<Record<ImportCause['kind'], string>> = {
  is_pdf: `Ini fail PDF, bukan jadual yang dapat dibaca. ${TO_DO}`,
  is_picture: `Ini fail gambar, bukan jadual yang dapat dibaca. ${TO_DO}`,
  is_document: `Ini dokumen teks, bukan jadual yang dapat dibaca. ${TO_DO}`,
  is_archive: 'Ini fail yang dimampatkan. Buka mampatannya, kemudian import fail di dalamnya.',
  is_address_book: `Ini buku alamat (vCard), bukan jadual yang dapat dibaca. ${TO_DO}`,
  is_web_page: `Ini halaman web atau XML, bukan jadual yang dapat dibaca. ${TO_DO}`,
  is_data: `Ini fail data (JSON atau pangkalan data), bukan jadual yang dapat dibaca. ${TO_DO}`,
  is_presentation: `Ini fail pembentangan, bukan jadual yang dapat dibaca. ${TO_DO}`,
  is_apple: `Ini fail Numbers, Pages atau Keynote daripada Apple. ${TO_DO}`,
  is_locked: 'Buku kerja ini dikunci dengan kata laluan. Simpan tanpa kata laluan, kemudian import semula.',
  is_other: `Ini dokumen jenis lain, bukan jadual yang dapat dibaca. ${TO_DO}`,
  is_binary: `Ini bukan fail teks, dan bukan jenis yang dapat dibaca. ${TO_DO}`,
  file_empty: 'Fail ini kosong. Pilih yang lain.',
  file_wide: 'Fail ini ada {columns} lajur, dan paling banyak {most} dapat dibaca. Buang lajur yang tidak diperlukan.',
  no_rows: 'Fail atau helaian ini tiada baris. Pilih yang lain.',
  no_rows_below: 'Fail ini hanya ada nama lajur, tanpa baris di bawahnya. Pilih yang lain.',
  row_unreadable: 'Baris {row} tidak dapat dibaca. Semak jika ada tanda petikan (") yang berlebihan sebelumnya.',
  quote_open: 'Baris {row} tidak berakhir hingga ke hujung fail. Semak jika ada tanda petikan (") yang berlebihan.',
  no_sheet: 'Buku kerja ini tiada helaian {sheet}. Yang ada: {sheets}.',
  workbook_large:
    'Buku kerja ini {size} GB selepas dibuka, dan paling banyak {most} GB dapat dibaca. Simpan sebagai CSV, atau padam apa yang jauh daripada barisnya.',
  workbook_damaged:
    'Buku kerja ini rosak, atau hanya sebahagiannya yang sampai. Buka dalam program asalnya, simpan semula (atau sebagai CSV), kemudian import semula.',
  other_encoding: 'Fail ini tidak dapat dibaca dengan pengekodan {encoding}. Pilih yang lain.',

  columns_differ: '{mapped} lajur telah dipilih, tetapi fail ini ada {columns}. Import fail itu sekali lagi.',
  column_unknown: 'Pilihan untuk lajur {column} tidak dikenali, atau medannya belum dinamakan.',
  column_twice: 'Dua lajur dipilih sebagai perkara yang sama. Abaikan salah satu.',
  fields_many: '{fields} lajur ialah medan, dan prospek boleh ada paling banyak {most}. Abaikan beberapa lajur.',
  no_phone_column: 'Tiada lajur dipilih sebagai nombor telefon. Nyatakan lajur yang mana.',

  no_number: `{value} bukan nombor telefon. ${WAY_OUT}`,
  no_jid: `{value} bukan nombor telefon. ${WAY_OUT}`,
  number_short: `{value} terlalu pendek untuk nombor +{code}. ${WAY_OUT}`,
  number_long: `{value} terlalu panjang untuk nombor +{code}. ${WAY_OUT}`,
  number_length: `{value} terlalu pendek atau terlalu panjang untuk nombor +{code}. ${WAY_OUT}`,
  number_extension: '{value} ada nombor sambungan, yang tidak dapat dihubungi. Buang sambungan itu.',
  number_letters: '{value} ada huruf di dalamnya ({letters}). Tulis nombor dengan digit sahaja, tanpa sambungan.',
  row_long: 'Baris ini ada {cells} sel, tetapi fail ini {columns} lajur. Teks yang ada koma perlu tanda petikan (").',
  phone_missing: 'Tiada nombor telefon.',
  number_rounded: '{value} telah dibundarkan oleh hamparan. Format lajur itu sebagai teks, isi semula, dan simpan.',
  tags_many: 'Prospek boleh ada paling banyak {most} tag, dan yang ini ada {n}.',
  device_unclear: '{n} peranti bernama {value}. Tulis nombor atau ID peranti.',
  device_unknown: 'Tiada peranti {value}. Tulis nama, nombor atau ID peranti.',
  status_unknown: '{value} bukan status. Tulis prospek atau pelanggan.',
  name_long: 'Nama boleh ada paling banyak {most} aksara, dan yang ini ada {n}.',
  tag_long: 'Tag boleh ada paling banyak {most} aksara, dan yang ini ada {n}.',
  field_long: 'Medan boleh ada paling banyak {most} aksara, dan yang ini ada {n}.',

  number_twice: 'Nombor yang sama seperti di baris {row}.',
  person_twice: 'Orang yang sama seperti di baris {row}.',
  other_number: 'Ini nombor lain bagi prospek {phone}: baris ini dikira sebagai prospek itu.',
  tags_left_out: 'Prospek boleh ada paling banyak {most} tag, dan {n} tidak dimasukkan: {names}.',
  fields_left_out:
    'Prospek boleh ada paling banyak {most} medan, dan {n} tidak dimasukkan: {names}. Buang medan lain, kemudian import baris ini semula.',

  takes_memory:
    'Fail ini memerlukan terlalu banyak memori. Simpan sebagai CSV, atau padam apa yang jauh daripada barisnya.',
  takes_long: 'Fail ini mengambil masa terlalu lama untuk dibaca. Simpan sebagai CSV, atau bahagikannya.',
  disk_full: 'Cakera pelayan penuh. Beritahu pentadbir.',
  fell_over:
    'Fail ini tidak dapat dibaca walaupun dicuba beberapa kali. Beritahu pentadbir: sebabnya ada dalam log pelayan.',
};
