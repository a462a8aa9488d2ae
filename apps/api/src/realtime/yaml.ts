/** Words that YAML 1.1 readers take for something else than text. */
const RESERVED = /^(true|false|null|yes|no|on|off|y|n|~)$/i;

/**
 * JSON data as YAML in block style: keys plain where they may be, scalars as JSON writes them, which YAML 1.2 reads
 * the same way. What is `undefined` is left out.
 */
export function toYaml(value: unknown, depth = 0): string {
  const pad = '  '.repeat(depth);
  if (Array.isArray(value)) {
    if (value.length === 0) return '[]';
    return value.map((item) => `\n${pad}- ${toYaml(item, depth + 1).replace(/^\n\s*/, '')}`).join('');
  }
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).filter(([, item]) => item !== undefined);
    if (entries.length === 0) return '{}';
    return entries
      .map(([key, item]) => {
        const text = toYaml(item, depth + 1);
        return `\n${pad}${keyOf(key)}:${text.startsWith('\n') ? '' : ' '}${text}`;
      })
      .join('');
  }
  return JSON.stringify(value);
}

function keyOf(key: string): string {
  return /^[A-Za-z_][\w-]*$/.test(key) && !RESERVED.test(key) ? key : JSON.stringify(key);
}
