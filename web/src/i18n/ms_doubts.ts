/** What of a campaign's words is likely not meant so, in Malay. */
import type { RenderDoubt } from '../api/types';

export const msDoubts: Readonly<Record<RenderDoubt['kind'], string>> = {
  no_bar: '{text} dihantar seperti ditulis: medan ada satu kurungan, {name}, dan pilihan ada garis tegak, {{a|b}}.',
  no_fallback: 'Orang tanpa {field} menerima {{field}} seperti ditulis. Tulis {{field}|…} untuk menyatakan gantinya.',
  no_name:
    'Orang tanpa nama tidak menerima apa-apa di tempat {{field}}. Tulis {{field}|kawan} untuk menyatakan gantinya.',
  choice_open: '{{ tanpa }} dihantar seperti ditulis. Pilihan tidak boleh mengandungi pilihan lain.',
  brace_alone: 'Kurungan { atau } tanpa pasangannya dihantar seperti ditulis.',
  message_long: 'Mesej ini ada {n} aksara selepas medannya diisi, dan paling banyak {most} boleh dihantar.',
};
