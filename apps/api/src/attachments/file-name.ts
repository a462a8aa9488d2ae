/** Characters of a name before its ending at most. */
const MOST_CHARACTERS = 80;
/** What uploaders may send as a name, in characters, before anything is looked at. */
const MOST_LOOKED_AT = 1_000;
/** Names that mean a device on Windows, whatever their ending. */
const DEVICES = /^(con|prn|aux|nul|com\d|lpt\d)$/i;

/**
 * A name that is safe to save under: the last part of a path, letters, digits, spaces and `.-_()` of any script, no
 * leading dot, no device, and the ending of what the content is.
 */
export function safeFileName(given: string, ending: string): string {
  const last = given.slice(-MOST_LOOKED_AT).split(/[/\\]/).at(-1) ?? '';
  const stem = last
    .normalize('NFC')
    .replace(/\.[A-Za-z0-9]{1,8}$/, '')
    .replace(/[^\p{L}\p{M}\p{N} ._()-]/gu, '_')
    .replace(/[. ]*\.[. ]*/g, '.')
    .replace(/^[. _]+|[. ]+$/g, '');
  const short = [...stem].slice(0, MOST_CHARACTERS).join('').trim();
  return `${short === '' || DEVICES.test(short.split('.')[0] ?? '') ? 'file' : short}.${ending}`;
}
