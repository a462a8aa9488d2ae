/**
 * Letters that look like an ASCII letter or digit and that folding (NFKC, case, accents) leaves as they are: already
 * lower case, without accents.
 *
 * Source note: written by hand from the code charts and from what UTS #39 says about confusables, in particular
 * Cyrillic, Greek, Armenian, Cherokee, Coptic, Lisu, IPA, small capitals, letters with strokes and enclosed letters;
 * not a copy of Unicode's confusables.txt. To extend it add the lower-case form to the line of its look-alike; the
 * spec holds every entry to being reachable (folding keeps it) and to standing on one line alone.
 */
export const STRICT_LOOKALIKES: Readonly<Record<string, string>> = {
  a: 'аɑαᴀɐꭺꓮⲁ⍺ⱥᗅɒ₳',
  b: 'ᖯƅʙꮟᏼɓƃꓐɞ♭ƀ',
  c: 'сᴄⲥꮯꓚƈȼ¢ͻ₵',
  d: 'ԁɗđᴅꓒꮷɖժꭰðꓓ',
  e: 'еєᴇɛεҽꮛꓰɇǝə℮€ⲉɘҿꬲꭼⴹ⋿',
  f: 'ƒꬵꓝʄϝꜰꞙքբ₣',
  g: 'ɡցɢǥɠꓖԍᶃꮐᏻ₲',
  h: 'һհʜꓧɦꮋⲏħⱨꮒɥ',
  i: 'іɩιӏɪꙇꭵꓲɨⲓ',
  j: 'јϳᴊɉʝꓙꭻյ',
  k: 'кκᴋƙꓗⲕқĸӄҝꮶʞⱪ₭',
  l: 'ʟłƚɭꓡլꮮⱡɫⲗⳑǀߊȴ',
  m: 'мᴍꓟϻⲙꮇɱ₥',
  n: 'пոռɴηꓠⲛɲŋƞնᴎղɳȵ₦',
  o: 'оοօσᴏøꓳⲟ೦ഠ๐०੦০௦౦ഽᴑɵѳөჿⵔዐଠ໐၀૦൦ߋס',
  p: 'рρᴘꓑⲣƥꮲþᵽƿ⍴₱',
  q: 'ԛգզɋꝗʠ',
  r: 'ʀɾɽɹʁꓣꭇɍɼⲅꮢᴦꮁꭱꭈ',
  s: 'ѕʂꜱꓢƽꮥꮪտȿ₴',
  t: 'тτᴛŧꓔⲧꭲƭʈ⊤†ȶ₮',
  u: 'սυᴜμꓴʉꞟᴗʋʊᵾꭎꭒ',
  v: 'νᴠѵꓦꮩⱱⴸ',
  w: 'ԝѡωաᴡꓪɯꮤꮃⱳ₩',
  x: 'хχꓫⲭӽҳ×⤫╳ⵝӿ',
  y: 'уγүꓬƴʏɏყⲩɣ¥ұꭹꮍʎꭚỿ',
  z: 'ᴢƶʐꓜꮓȥɀʑⱬ',
  '3': 'ӡʒȝꝫ',
};

/**
 * Letters that stand in for a Latin one in play (`ƒяεε`), though their own readers would not take them for it. Apart
 * because a text that holds them may simply be Russian, Greek or Hebrew.
 */
export const LOOSE_LOOKALIKES: Readonly<Record<string, string>> = {
  a: 'λд∆ᗩ卂',
  b: 'вьβъ฿ᗷ乃ᑲ',
  c: '匚ᑕ',
  d: 'ᗪᗞᑯ',
  e: 'э乇ᗴξ',
  f: 'ᖴғ千',
  g: 'ᘜ',
  h: 'нђ卄ᕼ',
  i: '丨',
  j: 'ןᒍ',
  k: 'ᖽᛕ',
  l: 'ᒪ',
  m: '爪ᗰ௱ᛖ',
  n: 'иᑎ刀π',
  o: 'ᗝθ',
  p: 'ᑭ卩ᑶ',
  r: 'гяᖇ尺ґ',
  s: 'ᔕ丂ֆ',
  t: 'ʇ',
  u: 'цᑌ',
  v: 'ᐯ',
  w: 'шщᗯ',
  x: 'ж乂᙭',
  y: 'ץㄚ',
  z: '乙',
  '3': 'з',
  '4': 'ч',
  '6': 'б',
};

/**
 * Capitals, and a lunate sigma, that look like one letter while what they fold to looks like another: `Ν` is like N, its
 * small `ν` like v. They are read before folding.
 */
export const CAPITAL_LOOKALIKES: Readonly<Record<string, string>> = {
  c: 'Ϲϲ',
  h: 'Η',
  m: 'Μ',
  n: 'Ν',
  y: 'Υ',
  z: 'Ζ',
};

/** Blocks whose members stand for A to Z (or 0 to 9) in order, which folding leaves as signs. */
export const LETTER_BLOCKS: readonly { readonly first: number; readonly letters: string }[] = [
  { first: 0x1f150, letters: 'abcdefghijklmnopqrstuvwxyz' },
  { first: 0x1f170, letters: 'abcdefghijklmnopqrstuvwxyz' },
  { first: 0x1f1e6, letters: 'abcdefghijklmnopqrstuvwxyz' },
  { first: 0x2776, letters: '123456789' },
  { first: 0x278a, letters: '123456789' },
];
