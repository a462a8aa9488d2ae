/** What an uploaded file may be. */
export interface ContentKind {
  type:
    | 'image/png'
    | 'image/jpeg'
    | 'image/webp'
    | 'image/gif'
    | 'application/pdf'
    | 'text/plain'
    | 'audio/wav'
    | 'audio/mpeg';
  /** Ending of its name. */
  ending: string;
  /** The content is a picture, which is made anew before it is kept. */
  picture: boolean;
}

const PNG: ContentKind = { type: 'image/png', ending: 'png', picture: true };
const JPEG: ContentKind = { type: 'image/jpeg', ending: 'jpg', picture: true };
const WEBP: ContentKind = { type: 'image/webp', ending: 'webp', picture: true };
const GIF: ContentKind = { type: 'image/gif', ending: 'gif', picture: true };
const PDF: ContentKind = { type: 'application/pdf', ending: 'pdf', picture: false };
const TEXT: ContentKind = { type: 'text/plain', ending: 'txt', picture: false };
const WAV: ContentKind = { type: 'audio/wav', ending: 'wav', picture: false };
const MP3: ContentKind = { type: 'audio/mpeg', ending: 'mp3', picture: false };

/** Text that a browser or a shell would run, were it to guess: markup or a script line at the very start. */
const ACTIVE_TEXT = /^(?:<[a-z!?/]|#!)/i;
/** Codes below 32 that text may hold: tab, line feed, form feed, carriage return. */
const TEXT_CONTROLS = new Set([9, 10, 12, 13]);

/**
 * What bytes are, by their content alone: signatures as registered with the formats (PNG 5.2, JFIF, RIFF, GIF89a,
 * ISO 32000, ID3v2, ISO 11172-3), else UTF-8 text. What the uploader says of name and type plays no part.
 * @returns null for anything else.
 */
export function recogniseContent(bytes: Buffer): ContentKind | null {
  const has = (text: string, at = 0): boolean =>
    bytes.subarray(at, at + text.length).equals(Buffer.from(text, 'latin1'));
  if (has('\x89PNG\r\n\x1a\n')) return PNG;
  if (has('\xff\xd8\xff')) return JPEG;
  if (has('RIFF') && has('WEBP', 8)) return WEBP;
  if (has('GIF87a') || has('GIF89a')) return GIF;
  if (has('%PDF-')) return PDF;
  if (has('RIFF') && has('WAVE', 8)) return WAV;
  if (has('ID3') || isMpegFrame(bytes)) return MP3;
  return isPlainText(bytes) ? TEXT : null;
}

/** The header of an MPEG audio frame of layer III: sync word, no reserved value. */
function isMpegFrame(bytes: Buffer): boolean {
  const [first, second = 0, third = 0] = bytes;
  const version = (second >> 3) & 3;
  const layer = (second >> 1) & 3;
  const bitrate = third >> 4;
  const rate = (third >> 2) & 3;
  return first === 0xff && second >= 0xe0 && version !== 1 && layer === 1 && bitrate > 0 && bitrate < 15 && rate !== 3;
}

function isPlainText(bytes: Buffer): boolean {
  if (bytes.length === 0 || bytes.some((byte) => (byte < 32 && !TEXT_CONTROLS.has(byte)) || byte === 127)) return false;
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return !ACTIVE_TEXT.test(text.trimStart());
  } catch {
    return false;
  }
}
