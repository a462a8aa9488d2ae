/** What the first bytes of an answer are. */
export interface Sniffed {
  container: 'hls' | 'dash' | 'other' | 'none';
  /** Target duration of an HLS media playlist, ms. */
  targetDurationMs?: number;
}

const SIGNATURES: readonly (readonly [number, string])[] = [
  [4, '66747970'], // ISO base media: ftyp
  [4, '73747970'], // CMAF segment: styp
  [0, '1a45dfa3'], // Matroska, WebM
  [0, '464c56'], // FLV
  [0, '4f676753'], // Ogg
  [0, '000001ba'], // MPEG program stream
  [0, '000001b3'], // MPEG video
  [0, '00000001'], // H.264, H.265 byte stream
  [0, '52494646'], // RIFF: AVI
];

/**
 * Tells media and playlists from pages by their first bytes; the content type only decides where those are silent,
 * for servers often give a wrong one.
 */
export function sniff(body: Buffer, contentType: string): Sniffed {
  const start = body.subarray(0, 4_096).toString('latin1');
  if (start.startsWith('#EXTM3U')) {
    const target = /^#EXT-X-TARGETDURATION: ?(\d{1,4})/m.exec(start)?.[1];
    return { container: 'hls', ...(target === undefined ? {} : { targetDurationMs: Number(target) * 1_000 }) };
  }
  if (/<MPD[\s>]/.test(start)) return { container: 'dash' };
  if (SIGNATURES.some(([offset, hex]) => body.subarray(offset, offset + hex.length / 2).toString('hex') === hex)) {
    return { container: 'other' };
  }
  if (body[0] === 0x47 && (body.length < 189 || body[188] === 0x47)) return { container: 'other' };
  const type = contentType.toLowerCase();
  const media = type.startsWith('video/') || type.startsWith('multipart/x-mixed-replace');
  const binary = body.subarray(0, 512).some((byte) => byte < 9);
  return { container: body.length > 0 && (media || binary) && !type.startsWith('image/') ? 'other' : 'none' };
}
